"""A smaller vocabulary: which tokens stay, how text is encoded with them, what the model says."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.base.errors import InputError
from sparsesum.corpus.bills import bills
from sparsesum.models import checkpoints
from sparsesum.shrinking import tokenizer_cut
from sparsesum.shrinking.cut import Given
from sparsesum.shrinking.kinds import vocabulary

pytestmark = pytest.mark.slow

MARKS = ["<s>", "<pad>", "</s>", "<unk>"]
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
LEAST = len(MARKS) + len(BYTES)
TEXTS = [bill.record()["text"] for bill in bills("us", 4, 1)]


def save(folder, tokenizer, rows=520, **more):
    """A model with random weights and so many rows, more than its tokenizer has tokens."""
    shape = {
        "hidden_size": 16,
        "ffn_dim": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
        "word_embed_proj_dim": 16,
    }
    torch.manual_seed(0)
    model = OPTForCausalLM(OPTConfig(**shape | {"vocab_size": rows} | more)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    checkpoints.save(model, folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


def shrink(source, amount, draft, texts=TEXTS, **more):
    """The cut tokenizer, and the model as transformers loads it with nothing missing or left."""
    draft.mkdir()
    vocabulary.shrink(source, draft, amount, Given(texts=texts, **more))
    files = ["config.json", "model.safetensors", "tokenizer.json"]
    assert sorted(path.name for path in draft.iterdir()) == files
    model, found = OPTForCausalLM.from_pretrained(draft, output_loading_info=True)
    assert not any(found.values()), found
    assert model.config.vocab_size == amount == len(model.get_input_embeddings().weight)
    return Tokenizer.from_file(str(draft / "tokenizer.json")), model.eval()


def old_ids(old, new):
    """The ids that a tokenizer has for another's tokens, in the order of that one's ids."""
    return [old.token_to_id(new.id_to_token(i)) for i in range(new.get_vocab_size())]


@pytest.fixture(scope="module")
def cut(tokenizer, tmp_path_factory):
    """A tokenizer of 512 tokens cut to 360."""
    folder = tmp_path_factory.mktemp("cut")
    save(folder, tokenizer)
    return shrink(folder, 360, folder / "draft")[0]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"word_embed_proj_dim": 8, "do_layer_norm_before": False},
        {"tie_word_embeddings": False},
    ],
    ids=["pre", "post", "head"],
)
def test_logits_are_the_dense_models_of_the_tokens_that_stay(more, tokenizer, tmp_path):
    dense = save(tmp_path, tokenizer, **more)
    new, model = shrink(tmp_path, 300, tmp_path / "draft")
    old = torch.tensor(old_ids(tokenizer, new))
    ids = torch.randint(0, 300, (4, 20), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, dense(old[ids]).logits[..., old])
    assert torch.equal(
        model.get_input_embeddings().weight, dense.get_input_embeddings().weight[old]
    )
    assert torch.equal(model.lm_head.weight, dense.lm_head.weight[old])
    assert (model.lm_head.weight is model.get_input_embeddings().weight) == (
        "tie_word_embeddings" not in more
    )
    state, before = model.state_dict(), dense.state_dict()
    others = [name for name in before if before[name].shape[0] != 520]
    assert len(others) == len(before) - 2
    assert all(torch.equal(state[name], before[name]) for name in others)


@pytest.mark.parametrize("amount", [LEAST, 300, 511, 512])
def test_as_many_as_asked_for_in_their_old_order_with_marks_and_bytes(amount, tokenizer, tmp_path):
    dense = save(tmp_path, tokenizer)
    new, model = shrink(tmp_path, amount, tmp_path / "draft")
    old = old_ids(tokenizer, new)
    assert new.get_vocab_size() == amount == len(old) and None not in old
    assert old == sorted(old) and old[:4] == [0, 1, 2, 3]
    assert [new.id_to_token(i) for i in range(4)] == MARKS
    assert {*BYTES} <= new.get_vocab().keys()
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        assert getattr(model.config, name) == getattr(dense.config, name)
    assert new.encode("").ids == [2]


def test_every_token_that_stays_is_still_reached(tokenizer, cut):
    def alone(encoder, token):
        text = tokenizer.decoder.decode([token])
        return encoder.encode(text, add_special_tokens=False).tokens == [token]

    longer = [token for token in cut.get_vocab() if len(token) > 1 and token not in MARKS]
    assert len(longer) == 360 - LEAST
    assert all(alone(tokenizer, token) and alone(cut, token) for token in longer)


def test_what_is_encoded_to_tokens_that_stay_is_encoded_as_before(tokenizer, cut):
    same = 0
    for word in {word for text in TEXTS for word in text.split()}:
        before = tokenizer.encode(word).tokens
        if all(cut.token_to_id(token) is not None for token in before):
            assert cut.encode(word).tokens == before
            same += 1
    assert same > 50


def test_the_most_frequent_stay_with_what_they_are_made_of(tokenizer, cut):
    counts = Counter(token for text in TEXTS for token in tokenizer.encode(text).tokens)
    made = {"".join(pair): pair for pair in json.loads(tokenizer.to_str())["model"]["merges"]}

    def tree(token):
        return {token}.union(*map(tree, made.get(token, ())))

    there = cut.get_vocab().keys()
    chosen = {token for token in there if token in made}
    for token in chosen:
        assert tree(token) <= there
    # No token that went is more frequent than all that a token was kept for.
    gone = max(counts[token] for token in made if token not in there)
    assert gone > 0
    for token in chosen:
        assert max(counts[other] for other in chosen if token in tree(other)) >= gone


def by_hand(merges, more=()):
    """A tokenizer of OPT's marks, the bytes, what `merges` makes, and `more` that none does."""
    tokens = [*MARKS, *BYTES, *("".join(pair) for pair in merges), *more]
    found = Tokenizer(
        models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=list(merges))
    )
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", 2)]
    )
    return json.loads(found.to_str())


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (0, set()),
        (1, {"xy"}),  # "abcd" brings three
        (2, {"xy", "ab"}),
        (3, {"ab", "abc", "abcd"}),
        (4, {"ab", "abc", "abcd", "xy"}),
        (5, {"ab", "abc", "abcd", "xy", "<never>"}),
    ],
)
@pytest.mark.parametrize("pairs", [True, False])
def test_by_hand(pairs, room, expected):
    contents = by_hand([("a", "b"), ("ab", "c"), ("abc", "d"), ("x", "y")], ["<never>"])
    if not pairs:
        contents["model"]["merges"] = [" ".join(pair) for pair in contents["model"]["merges"]]
    ids = tokenizer_cut.named(contents)
    counts = {ids["abcd"]: 3, ids["xy"]: 2, ids["ab"]: 1}
    least = tokenizer_cut.least(contents, set())
    assert least == {*MARKS, *BYTES}
    stay = tokenizer_cut.choose(contents, least, counts, LEAST + room)
    new = tokenizer_cut.cut(contents, stay)
    assert new["model"]["vocab"].keys() == least | expected
    assert [*new["model"]["vocab"].values()] == [*range(LEAST + room)]
    kinds = {type(merge) for merge in new["model"]["merges"]}
    assert kinds <= {list if pairs else str}
    # A merge stays with its result: these loads and encodes by them alone.
    there = Tokenizer.from_str(json.dumps(new))
    assert len(new["model"]["merges"]) == len(expected - {"<never>"})
    for token in expected - {"<never>"}:
        assert there.encode(token).tokens == ["</s>", token]


def test_a_token_that_two_merges_make_stays_with_the_parts_of_both():
    contents = by_hand([("b", "c"), ("a", "b"), ("ab", "c")])
    contents["model"]["merges"] += [["a", "bc"]]
    ids = tokenizer_cut.named(contents)
    least = tokenizer_cut.least(contents, set())
    for room, expected in ((2, {"bc", "ab"}), (3, {"bc", "ab", "abc"})):
        stay = tokenizer_cut.choose(contents, least, {ids["abc"]: 5}, LEAST + room)
        there = tokenizer_cut.cut(contents, stay)["model"]
        assert there["vocab"].keys() - least == expected
    assert Tokenizer.from_str(json.dumps(contents)).encode("abc").tokens == ["</s>", "abc"]


def test_a_merge_goes_where_a_part_went_though_what_it_makes_was_added():
    contents = by_hand([("a", "b"), ("ab", "c"), ("x", "y")])
    encoder = Tokenizer.from_str(json.dumps(contents))
    encoder.add_tokens(["abc"])
    contents = json.loads(encoder.to_str())
    ids, least = tokenizer_cut.named(contents), tokenizer_cut.least(contents, set())
    assert least == {*MARKS, *BYTES, "abc"}
    stay = tokenizer_cut.choose(contents, least, {ids["xy"]: 1}, LEAST + 2)
    new = tokenizer_cut.cut(contents, stay)
    assert new["model"]["merges"] == [["x", "y"]]
    tokens = Tokenizer.from_str(json.dumps(new)).encode("abxyabc").tokens
    assert tokens == ["</s>", "a", "b", "xy", "abc"]


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_comes_back(cut, text):
    encoding = cut.encode(text)
    assert encoding.ids[0] == 2 and 3 not in encoding.ids
    assert cut.decode(encoding.ids[1:], skip_special_tokens=False) == text


@pytest.mark.parametrize(
    "text", ["Ünïcödé \U0001f98a\n\t  SEC. 2.", "", "</s> <pad>", "\0\x7f\ufeff"]
)
def test_these_texts_come_back(text, tokenizer, cut):
    ids = cut.encode(text, add_special_tokens=False).ids
    assert cut.decode(ids, skip_special_tokens=False) == text
    assert tokenizer.decode(tokenizer.encode(text).ids[1:], skip_special_tokens=False) == text


def test_nothing_else_of_the_tokenizer_changes(tokenizer, cut):
    old, new = json.loads(tokenizer.to_str()), json.loads(cut.to_str())
    merges = new["model"].pop("merges"), old["model"].pop("merges")
    assert merges[0] == [merge for merge in merges[1] if merge in merges[0]]
    assert new["model"].pop("vocab") != old["model"].pop("vocab")
    assert new == old


def test_a_token_that_was_added_stays_under_a_new_id(tokenizer, tmp_path):
    more = Tokenizer.from_str(tokenizer.to_str())
    more.add_special_tokens(["<mask>"])
    more.add_tokens(["bill number"])
    save(tmp_path, more, eos_token_id=512)
    new, model = shrink(tmp_path, 300, tmp_path / "draft")
    assert [new.token_to_id(token) for token in ("<mask>", "bill number")] == [298, 299]
    assert new.encode("a bill number<mask>").tokens[-2:] == ["bill number", "<mask>"]
    assert model.config.eos_token_id == 298 and model.config.bos_token_id == 2


def test_marks_that_move_are_followed_by_config_and_post_processor(tokenizer, tmp_path):
    """A tokenizer with its marks last: what is put before a text, and what ends it, moves along."""
    contents = json.loads(tokenizer.to_str())
    order = sorted(contents["model"]["vocab"], key=contents["model"]["vocab"].__getitem__)
    place = {token: i for i, token in enumerate(order[4:] + order[:4])}
    contents["model"]["vocab"] = place
    for mark in contents["added_tokens"]:
        mark["id"] = place[mark["content"]]
    contents["post_processor"]["special_tokens"]["</s>"]["ids"] = [place["</s>"]]
    ids = {"bos_token_id": 510, "eos_token_id": 510, "pad_token_id": 509}
    moved = Tokenizer.from_str(json.dumps(contents))
    assert moved.encode("").ids == [510]
    save(tmp_path, moved, **ids)
    new, model = shrink(tmp_path, 300, tmp_path / "draft")
    assert new.encode("").ids == [298] and new.token_to_id("<pad>") == 297
    assert model.config.bos_token_id == model.config.eos_token_id == 298
    assert model.config.pad_token_id == 297


def test_ids_that_the_configuration_leaves_out_or_empty(tokenizer, tmp_path):
    save(tmp_path, tokenizer)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["pad_token_id"]
    (tmp_path / "config.json").write_text(json.dumps(config | {"bos_token_id": None}))
    _, model = shrink(tmp_path, 300, tmp_path / "draft")
    assert (model.config.pad_token_id, model.config.bos_token_id) == (1, None)


def test_the_same_bytes_twice_and_from_the_tokenizer_that_is_given(tokenizer, tmp_path):
    save(tmp_path, tokenizer)
    shrink(tmp_path, 300, tmp_path / "one")
    (tmp_path / "tokenizer.json").rename(tmp_path / "elsewhere.json")
    told = []
    more = {"tokenizer": tmp_path / "elsewhere.json", "report": lambda *args: told.append(args)}
    shrink(tmp_path, 300, tmp_path / "two", iter(TEXTS), **more)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert [done for done, _ in told] == [*range(1, len(TEXTS) + 1)]


def test_truncation_that_a_tokenizer_asks_for_hides_no_text(tokenizer, tmp_path):
    short = Tokenizer.from_str(tokenizer.to_str())
    short.enable_truncation(2)
    save(tmp_path, short)
    text = "zq" * 50 + " the the the the"
    new, _ = shrink(tmp_path, 263, tmp_path / "draft", [text])
    assert new.token_to_id("Ġthe") is not None


@pytest.mark.parametrize(
    ("amount", "texts", "said"),
    [
        (LEAST - 1, TEXTS, "a vocabulary of 259 is smaller than its bytes and marks; .* 260 on"),
        (0, TEXTS, "a vocabulary of 0 is smaller than its bytes"),
        (513, TEXTS, "a vocabulary of 513 takes no token away: there are 512, and 520 rows"),
        (520, TEXTS, "a vocabulary of 520 takes no token away"),
        (300, None, "no text to count tokens in"),
        (300, [], "no text to count tokens in"),
        (300, [""], "no text to count tokens in"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(amount, texts, said, tokenizer, tmp_path):
    save(tmp_path, tokenizer)
    with pytest.raises(InputError, match=said) as refused:
        shrink(tmp_path, amount, tmp_path / "draft", texts)
    assert str(refused.value).isprintable()


def test_all_tokens_of_a_model_without_other_rows_is_no_smaller_vocabulary(tokenizer, tmp_path):
    save(tmp_path, tokenizer, rows=512)
    with pytest.raises(InputError, match="a vocabulary of 512 takes no token away"):
        shrink(tmp_path, 512, tmp_path / "draft")


def test_an_id_of_the_configuration_without_a_token_is_refused(tokenizer, tmp_path):
    save(tmp_path, tokenizer, eos_token_id=515)
    with pytest.raises(InputError, match=r"config\.json's eos_token_id 515 is no token of .*json"):
        shrink(tmp_path, 300, tmp_path / "draft")


def test_a_token_that_the_configuration_names_stays(tokenizer, tmp_path):
    save(tmp_path, tokenizer, eos_token_id=511)
    new, model = shrink(tmp_path, LEAST + 1, tmp_path / "draft")
    assert new.id_to_token(model.config.eos_token_id) == tokenizer.id_to_token(511)
    assert model.config.eos_token_id == LEAST


def test_an_added_token_under_another_id_than_the_next_is_refused(tokenizer, tmp_path):
    save(tmp_path, tokenizer)
    contents = json.loads(tokenizer.to_str())
    contents["added_tokens"].append(contents["added_tokens"][0] | {"id": 515, "content": "<mask>"})
    (tmp_path / "tokenizer.json").write_text(json.dumps(contents))
    with pytest.raises(InputError, match=r"tokenizer\.json: an added token has an id that is not"):
        shrink(tmp_path, 300, tmp_path / "draft")


def test_a_tokenizer_of_another_kind_is_refused(tmp_path, tokenizer):
    save(tmp_path, tokenizer)
    words = Tokenizer(models.WordLevel({"<pad>": 1, "</s>": 2}, unk_token="</s>"))
    words.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(InputError, match=r"tokenizer\.json: a WordLevel tokenizer; allowed is BPE"):
        shrink(tmp_path, 300, tmp_path / "draft")


def test_a_post_processor_whose_ids_cannot_follow_is_refused(tokenizer, tmp_path):
    """RoBERTa's has no template: where its ids stay it is taken, where they move it is refused."""
    marked = Tokenizer.from_str(tokenizer.to_str())
    marked.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    save(tmp_path, marked)
    new, _ = shrink(tmp_path, 300, tmp_path / "draft")
    assert new.encode("a").ids[::2] == [0, 2]
    marked.add_special_tokens(["<end>"])
    marked.post_processor = processors.RobertaProcessing(("<end>", 512), ("<s>", 0))
    marked.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(InputError, match="cannot be cut: its post-processor RobertaProcessing"):
        shrink(tmp_path, 300, tmp_path / "other")


def test_opts_own_tokenizer(shared, tmp_path: Path):
    """50,265 tokens and seven rows without one: a third of them stays, and encodes any text."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(shared / "opt_tokenizer" / name, folder / name)
    shape = {"hidden_size": 8, "ffn_dim": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    OPTConfig(**shape, word_embed_proj_dim=8).save_pretrained(folder)
    tokenizer = checkpoints.load_tokenizer(folder)
    dense = save(folder, tokenizer, rows=50_272, **shape, word_embed_proj_dim=8)
    new, model = shrink(folder, 16_384, tmp_path / "draft")
    old = torch.tensor(old_ids(tokenizer, new))
    assert old[:4].tolist() == [0, 1, 2, 3] and torch.equal(old, old.sort().values)
    assert torch.equal(model.lm_head.weight, dense.lm_head.weight[old])
    for text in TEXTS:  # all that occurs has room
        assert old[new.encode(text).ids].tolist() == tokenizer.encode(text).ids
    text = "Ünïcödé \U0001f98a antidisestablishmentarianism\0"
    assert new.decode(new.encode(text).ids[1:]) == text
    assert len(new.encode(text).ids) >= len(tokenizer.encode(text).ids)
