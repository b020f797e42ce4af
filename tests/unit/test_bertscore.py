"""BERTScore: against its equations in numpy, and what bert-score itself would trip over."""

import shutil
from pathlib import Path

import bert_score
import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, RobertaConfig, RobertaModel, RobertaTokenizer

from sparsesum.encoder import minilm_folder
from sparsesum.scores import modules

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


def test_same_text_scores_1():
    texts = [prediction for prediction, _ in PAIRS]
    assert bertscore([(text, text) for text in texts]) == pytest.approx(1.0, abs=1e-5)


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


def test_too_many_layers_are_refused():
    with pytest.raises(ValueError, match="has 6 layers, 7"):
        bertscore(PAIRS, num_layers=7)


def test_pickled_weights_are_refused(tmp_path: Path, minilm):
    folder = shutil.copytree(minilm_folder(), tmp_path / "encoder")
    (folder / "model.safetensors").unlink()
    torch.save(minilm[0].state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        bertscore(PAIRS, encoder=str(folder))


def test_missing_folder_is_named():
    with pytest.raises(OSError, match="/no/encoder: no such folder"):
        bertscore(PAIRS, encoder="/no/encoder")
