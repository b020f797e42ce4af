"""BERTScore: against its equations in numpy, and what bert-score itself would trip over."""

import json
import shutil
import sys
from pathlib import Path

import bert_score
import families
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    AutoTokenizer,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizer,
    ViTConfig,
    ViTModel,
)

from sparsesum.base.errors import InputError
from sparsesum.scoring import hidden_states
from sparsesum.scoring.encoder import minilm_folder
from sparsesum.scoring.similarity import modules

pytestmark = pytest.mark.slow

LAYER = 5
PAIRS = [
    ("The Secretary shall make grants.", "The Secretary of Labor may award grants to States."),
    ("Amends the Internal Revenue Code to repeal a tax on farms in Ohio.", "Repeals a farm tax."),
    ("no no no no no no", "Requires a report to Congress."),
    ("A bill.", "A bill."),
    ("Directs the Attorney General to study tunnels.", "Tunnels: a study is directed."),
]


def bertscore(pairs: list[tuple[str, str]], **options) -> np.ndarray:
    """Precision, recall and F1 of each pair: (pairs, 3)."""
    options = {"encoder": str(minilm_folder()), "num_layers": LAYER, "device": "cpu"} | options
    columns = modules()[1].compute(
        predictions=[prediction for prediction, _ in pairs],
        references=[reference for _, reference in pairs],
        **options,
    )
    return np.array([columns["precision"], columns["recall"], columns["f1"]]).T


def states(model, ids: list[int], layer: int) -> np.ndarray:
    """Unit vectors after `layer` layers, one a token: (tokens, width)."""
    with torch.no_grad():
        hidden = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0]
    vectors = hidden.double().numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def by_equations(model, prediction: list[int], reference: list[int], layer: int) -> list[float]:
    """arXiv 1904.09675, section 3: R = 1/|x| sum over x of max over x^ of x . x^, and so on.

    The sums leave out the first and last token ([CLS] and [SEP]), the maxima do not.
    """
    likeness = states(model, reference, layer) @ states(model, prediction, layer).T
    recall = np.mean([row.max() for row in likeness[1:-1]])
    precision = np.mean([column.max() for column in likeness.T[1:-1]])
    return [precision, recall, 2 * precision * recall / (precision + recall)]


@pytest.fixture(scope="module")
def minilm():
    folder = minilm_folder()
    return AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("layer", [LAYER, 6])
def test_follows_the_equations(minilm, layer: int):
    model, tokenizer = minilm
    expected = [by_equations(model, *(tokenizer.encode(t) for t in pair), layer) for pair in PAIRS]
    assert bertscore(PAIRS, num_layers=layer) == pytest.approx(np.array(expected), abs=2e-5)
    # The pairs can tell precision from recall.
    assert np.ptp(np.array(expected)[:, :2], axis=1).max() > 0.05


def test_agrees_with_bert_score_where_that_works():
    predictions, references = map(list, zip(*PAIRS, strict=True))
    expected = bert_score.score(
        predictions, references, model_type=str(minilm_folder()), num_layers=LAYER, device="cpu"
    )
    assert bertscore(PAIRS) == pytest.approx(torch.stack(expected, 1).numpy(), abs=1e-5)


def test_the_encoder_does_not_run_for_equal_texts(monkeypatch):
    texts = [prediction for prediction, _ in PAIRS]
    # A blank more, and they are two: to the encoder, which leaves it out, they are the same.
    assert bertscore([(text, f"{text} ") for text in texts]) == pytest.approx(1.0, abs=1e-5)
    monkeypatch.setattr(sys.modules[type(modules()[1]).__module__], "embed", None)
    assert (bertscore([(text, text) for text in texts]) == 1).all()


def test_batch_size_does_not_matter():
    assert bertscore(PAIRS, batch_size=2) == pytest.approx(bertscore(PAIRS), abs=1e-5)
    assert (bertscore(PAIRS, batch_size=2) == bertscore(PAIRS, batch_size=2)).all()


@pytest.mark.parametrize("blank", ["", " \n\t", "\u3000", "\u200b"])
def test_blank_scores_0_and_leaves_others_alone(blank: str):
    pairs = [(blank, "A bill."), PAIRS[0], ("A bill.", blank), (blank, blank), PAIRS[1]]
    found = bertscore(pairs, batch_size=2)
    assert (found[[0, 2, 3]] == 0).all()
    assert found[[1, 4]] == pytest.approx(bertscore(PAIRS[:2]), abs=1e-5)


def test_all_blank_scores_0():
    assert (bertscore([("", "A bill."), ("\n", "A bill.")]) == 0).all()


def test_long_texts_are_cut_to_512_tokens():
    # [CLS], 510 words that are one token each, [SEP]: what comes behind is not read.
    kept = "tax " * 510
    assert bertscore([(kept + "horse " * 300, kept)]) == pytest.approx(1.0, abs=1e-5)
    assert bertscore([("tax " * 509 + "horse", kept)])[0, 2] < 0.9999


def test_encoder_may_lie_under_any_path(tmp_path: Path):
    # bert-score takes a path with "t5" in it for a T5.
    link = tmp_path / "t5-runs"
    link.symlink_to(minilm_folder())
    assert (bertscore(PAIRS, encoder=str(link)) == bertscore(PAIRS)).all()


@pytest.mark.parametrize("saved_as", ["tokenizer.json", "vocab.json"])
def test_roberta(tmp_path: Path, saved_as: str):
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocabulary = {piece: i for i, piece in enumerate(marks + ["a", "b", "Ġ", "Ġa", "Ġb"])}
    tokenizer = RobertaTokenizer(vocab=vocabulary, merges=[("Ġ", "a"), ("Ġ", "b")])
    tokenizer.save_pretrained(tmp_path)
    if saved_as == "vocab.json":
        (tmp_path / "tokenizer.json").unlink()
        tokenizer._tokenizer.model.save(str(tmp_path))
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=34,  # The tokenizer names no limit; 2 of these are never used.
    )
    model = RobertaModel(config).eval()
    model.save_pretrained(tmp_path)

    def ids(text: str) -> list[int]:
        # bert-score reads a text's first word as if a blank stood before it.
        return [vocabulary["<s>"], *(vocabulary[f"Ġ{w}"] for w in text.split()), vocabulary["</s>"]]

    expected = by_equations(model, ids("a b b"), ids("b a"), 2)
    options = {"encoder": str(tmp_path), "num_layers": 2}
    assert bertscore([("a b b", "b a")], **options)[0] == pytest.approx(expected, abs=2e-5)
    kept = "a b " * 15
    assert bertscore([(kept + "b " * 40, kept)], **options) == pytest.approx(1.0, abs=1e-5)


WORDS = [
    ("the secretary shall make grants .", "the secretary of labor may award grants to states"),
    ("amends code to repeal a tax on farms in ohio", "repeals farm tax ."),
    ("no no no no", "requires report to congress"),
]
ENCODERS = sorted({*families.FAMILIES} - {"gpt2"})


def folder_of(family: str, path: Path, **more) -> Path:
    """An encoder whose tokenizer names its limit: bert-score fails without one."""
    folder = families.save(family, path, **more)
    edit(folder / "tokenizer_config.json", model_max_length=families.POSITIONS)
    return folder


def edit(file: Path, **more) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | more))


def refusal(folder: Path, layer: int = 2) -> str:
    with pytest.raises(InputError) as caught:
        bertscore(WORDS, encoder=str(folder), num_layers=layer)
    said = str(caught.value)
    assert str(folder) in said and "\n" not in said
    return said


@pytest.mark.parametrize("layer", [1, families.LAYERS])
@pytest.mark.parametrize("family", ENCODERS)
def test_encoders_of_each_family_score_as_with_bert_score(tmp_path: Path, family: str, layer: int):
    # bert-score takes a T5 by its path.
    folder = folder_of(family, tmp_path / family)
    predictions, references = map(list, zip(*WORDS, strict=True))
    expected = bert_score.score(
        predictions, references, model_type=str(folder), num_layers=layer, device="cpu"
    )
    found = bertscore(WORDS, encoder=str(folder), num_layers=layer, batch_size=2)
    assert found == pytest.approx(torch.stack(expected, 1).numpy(), abs=1e-5)
    assert np.ptp(found) > 1e-3


@pytest.mark.parametrize("family", ENCODERS)
def test_layers_above_are_not_run(tmp_path: Path, family: str):
    folder = families.save(family, tmp_path)
    model, tokenizer = hidden_states.load(folder, 1, "cpu")
    whole = AutoModel.from_pretrained(folder).eval()
    whole = whole.encoder if family in ("t5", "bart") else whole
    ids = torch.tensor([tokenizer("the tax")["input_ids"]])
    with torch.no_grad():
        states = whole(ids, output_hidden_states=True).hidden_states
        found = model(ids, output_hidden_states=True).hidden_states
    assert len(states) == families.LAYERS + 1 and len(found) == 2
    assert torch.equal(found[0], states[0])
    assert torch.equal(found[1], states[1]) == (family not in ("t5", "modernbert"))  # a last norm


def test_an_encoder_that_cannot_be_cut_gives_its_layer_all_the_same(tmp_path: Path):
    # Of several groups, ALBERT chooses a layer's weights by how many layers there are.
    folder = families.save("albert", tmp_path, num_hidden_layers=4, num_hidden_groups=2)
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for layer in range(1, 5):
        expected = [by_equations(model, *map(tokenizer.encode, pair), layer) for pair in WORDS]
        found = bertscore(WORDS, encoder=str(folder), num_layers=layer)
        assert found == pytest.approx(np.array(expected), abs=2e-5)


@pytest.mark.parametrize("named", [None, 40])
@pytest.mark.parametrize("family", ENCODERS)
def test_long_texts_are_cut_to_what_each_family_takes(tmp_path: Path, family: str, named):
    folder = families.save(family, tmp_path)
    if named:
        edit(folder / "tokenizer_config.json", model_max_length=named)
    unlimited = family in ("t5", "xlnet")
    limit = named or families.POSITIONS
    marks, one, two = (
        len(AutoTokenizer.from_pretrained(folder)(text)["input_ids"]) for text in ("", "a", "a a")
    )
    words = (limit - marks) // (two - one)
    assert marks + words * (two - one) == limit  # they fill it
    options = {"encoder": str(folder), "num_layers": 2}
    kept = " ".join(["a"] * words)
    score = bertscore([(kept + " tax" * 300, kept)], **options)[0, 2]
    assert (score == pytest.approx(1.0, abs=1e-5)) != (unlimited and not named)
    # The last token of those is read.
    assert bertscore([(kept.removesuffix(" a") + " .", kept)], **options)[0, 2] < 0.99999


def test_the_limit_of_sentence_transformers_counts_where_there_is_no_other(tmp_path: Path):
    for family, limit in (("t5", 9), ("mpnet", families.POSITIONS)):
        folder = families.save(family, tmp_path / family)
        (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 9}')
        assert hidden_states.load(folder, 1, "cpu")[1].model_max_length == limit


def test_too_many_layers_are_refused():
    with pytest.raises(InputError, match=r"\(bert\): has 6 layers, score.layer asks for 7"):
        bertscore(PAIRS, num_layers=7)


def test_a_decoder_is_refused(tmp_path: Path):
    assert "(gpt2): a decoder: its tokens do not" in refusal(families.save("gpt2", tmp_path))


def test_a_decoder_is_refused_by_what_it_does(tmp_path: Path):
    folder = families.save("bert", tmp_path, is_decoder=True)
    assert "(bert): a decoder" in refusal(folder)


def test_a_model_of_other_than_texts_is_refused(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    ViTModel(
        ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    ).save_pretrained(folder)
    assert "(vit): gives no hidden state a token for a text alone" in refusal(folder, 1)


def test_a_tokenizer_that_is_not_there_is_not_made_up(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    (folder / "tokenizer.json").unlink()
    assert "(bert): no tokenizer (tokenizer.json or vocab.txt); save" in refusal(folder)


def test_a_tokenizer_without_marks_is_refused(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    file = folder / "tokenizer.json"
    whole = json.loads(file.read_text())
    file.write_text(json.dumps(whole | {"post_processor": None}))
    edit(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    assert "(bert): its tokenizer puts no CLS and SEP token" in refusal(folder)
    # It puts them there and does not say which they are: they would count as words.
    file.write_text(json.dumps(whole))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    kept = {key: value for key, value in config.items() if key not in ("cls_token", "sep_token")}
    (folder / "tokenizer_config.json").write_text(json.dumps(kept))
    assert "(bert): its tokenizer puts no CLS and SEP token" in refusal(folder)


def test_a_tokenizer_without_padding_is_refused(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    edit(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert "(bert): its tokenizer has no padding token; save" in refusal(folder)


def test_a_broken_tokenizer_is_named(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    (folder / "tokenizer.json").write_text("{")
    assert "its tokenizer cannot be loaded: Expecting property name" in refusal(folder)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path, family: str):
    folder = families.save(family, tmp_path, vocab_size=9)
    assert "has no embedding for some token or position of the texts" in refusal(folder)


def test_an_unknown_limit_is_told(tmp_path: Path, monkeypatch):
    folder = families.save("t5", tmp_path)
    bertscore(WORDS, encoder=str(folder), num_layers=2)
    monkeypatch.setattr(hidden_states, "RELATIVE", ())
    assert "(t5): neither its config.json (max_position_embeddings) nor" in refusal(folder)


def test_weights_that_are_not_there_are_not_drawn(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    weights = load_file(folder / "model.safetensors")
    for name in ("pooler.dense.weight", "encoder.layer.1.output.dense.bias"):
        bertscore(WORDS, encoder=str(folder), num_layers=2)  # a pooler comes behind all layers
        del weights[name]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "(bert): its safetensors have no encoder.layer.1.output.dense.bias" in refusal(folder)


def test_weights_of_another_shape_are_refused(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    edit(folder / "config.json", intermediate_size=48)
    said = refusal(folder)
    assert "its safetensors have no encoder.layer.0.intermediate.dense.weight of the shape" in said


def test_hidden_states_that_are_no_numbers_are_refused(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.0.output.dense.bias"][3] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "its hidden states are not all finite numbers; choose another" in refusal(folder)


def test_pickled_weights_are_refused(tmp_path: Path, minilm):
    folder = shutil.copytree(minilm_folder(), tmp_path / "encoder")
    (folder / "model.safetensors").unlink()
    torch.save(minilm[0].state_dict(), folder / "pytorch_model.bin")
    assert "no file named model.safetensors" in refusal(folder)


def test_missing_folder_is_named():
    with pytest.raises(InputError, match="/no/encoder: no such folder"):
        bertscore(PAIRS, encoder="/no/encoder")
