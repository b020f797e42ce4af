"""Prompts, tokens and calibration sequences."""

from pathlib import Path

import pytest
import yaml
from tokenizers import Tokenizer

from sparsesum.base.errors import InputError
from sparsesum.corpus import calibration, prompt, tokens
from sparsesum.corpus.bills import bills

ROOT = Path(__file__).resolve().parents[2]
RECORDS = [{"id": str(i), **bill.record()} for i, bill in enumerate(bills("us", 20, 1))]


def test_the_prompt_is_the_papers():
    assert prompt.training_text("TEXT", "SUMMARY") == (
        "\nBelow is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruct: Summarize the text below.\n\nTEXT\n\n"
        "### Output:\nSUMMARY\n\n### End"
    )
    assert prompt.training_text("T", "S").startswith(prompt.inference_prompt("T"))


def test_the_configs_prompt_is_the_papers():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    assert prompt.Prompt(**config["prompt"]) == prompt.PAPER


def test_another_prompt(tokenizer):
    other = prompt.Prompt(before="Bill: ", after="\nIn short: ", stop="THE END")
    columns = tokens.tokenise(tokenizer, RECORDS[:1], 400, 200, other)
    asked = tokenizer.decode(columns["prompt_ids"][0])
    assert asked == f"Bill: {RECORDS[0]['text']}\nIn short: "
    assert prompt.source_text(asked, other) == RECORDS[0]["text"]
    assert tokenizer.decode(columns["input_ids"][0]).endswith("\n\nTHE END")
    assert prompt.prediction("A b. ### End\n\nTHE END", other) == "A b. ### End"


@pytest.mark.parametrize(
    ("generated", "said"),
    [
        ("A b.\n\n### End", "A b."),
        ("A b.\n\n### End\n### End c", "A b."),
        ("A b. cut", "A b. cut"),
        ("\n ### End", ""),
    ],
)
def test_the_prediction_stands_before_the_end_marker(generated, said):
    assert prompt.prediction(generated) == said


def test_tokens_decode_to_prompt_and_summary(tokenizer):
    columns = tokens.tokenise(tokenizer, RECORDS, text_tokens=400, summary_tokens=200)
    assert columns["id"] == [record["id"] for record in RECORDS]
    for i, record in enumerate(RECORDS):
        start = columns["summary_start"][i]
        ids = columns["input_ids"][i]
        assert ids[0] == 2  # OPT puts "</s>" before every text
        assert tokenizer.decode(ids[:start]) == prompt.inference_prompt(record["text"])
        assert tokenizer.decode(ids[start:]) == record["summary"] + "\n\n### End"
        assert columns["prompt_ids"][i] == ids[:start]
        assert columns["reference"][i] == record["summary"]


def test_text_and_summary_are_truncated_and_the_reference_with_it(tokenizer):
    (record,) = RECORDS[:1]
    columns = tokens.tokenise(tokenizer, [record], text_tokens=10, summary_tokens=4)
    short = tokenizer.decode(tokenizer.encode(record["summary"], add_special_tokens=False).ids[:4])
    assert columns["reference"] == [short]
    overhead = len(tokenizer.encode(prompt.inference_prompt("")).ids)
    assert len(columns["prompt_ids"][0]) <= overhead + 10 + 2  # seams may split a token or two


def test_odd_texts_are_tokenised(tokenizer):
    odd = [
        {"id": "0", "text": "\ud800 <b>\x00", "summary": ""},
        {"id": "1", "text": "", "summary": ""},
    ]
    columns = tokens.tokenise(tokenizer, odd, text_tokens=8, summary_tokens=8)
    assert columns["reference"] == ["", ""]
    assert all(columns["input_ids"])


def real_tokenizer(shared) -> Tokenizer:
    """OPT's own, put together from its vocabulary and merges alone."""
    from tokenizers import decoders, models, pre_tokenizers, processors

    folder = shared / "opt_tokenizer"
    real = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    real.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    real.decoder = decoders.ByteLevel()
    real.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", 2)]
    )
    return real


def test_opts_own_tokenizer(shared):
    assert real_tokenizer(shared).encode("A photo of a cat").ids == [2, 250, 1345, 9, 10, 4758]


def test_the_prompts_tokens_are_the_papers_to_the_id(shared):
    """Golden ids; </s> is 2, a newline 50118, "###" 48134."""
    below = [45943, 16, 41, 15741, 14, 7448, 10, 3685, 4]
    write = [21062, 10, 1263, 14, 16574, 25830, 5, 2069, 4]
    instruct = [48134, 45769, 35, 9430, 3916, 2072, 5, 2788, 874, 4]
    newline, output, end = 50118, [48134, 38252, 35], [48134, 4680]
    asked = [2, newline, *below, *write, newline, newline, *instruct, newline, newline]
    asked += [250, 1087, 4, newline, newline, *output, newline]
    columns = tokens.tokenise(
        real_tokenizer(shared), [{"id": "0", "text": "A bill.", "summary": "It ends."}], 1024, 128
    )
    assert columns["prompt_ids"] == [asked]
    assert columns["input_ids"] == [[*asked, 243, 3587, 4, newline, newline, *end]]
    assert columns["summary_start"] == [len(asked)]


def test_references_are_the_first_128_tokens_of_the_real_summaries(shared):
    from sparsesum.corpus import corpus

    real = real_tokenizer(shared)
    records = corpus.records(shared / "billsum", "test", 32)
    columns = tokens.tokenise(real, records, 1024, 128)
    full = [real.encode(r["summary"].strip(), add_special_tokens=False).ids for r in records]
    assert max(map(len, full)) > 128
    for reference, ids in zip(columns["reference"], full, strict=True):
        assert reference == real.decode(ids[:128], skip_special_tokens=False)
    overhead = len(real.encode(prompt.inference_prompt("")).ids)
    assert max(map(len, columns["prompt_ids"])) <= 1024 + overhead + 2


def test_calibration_sequences_are_cut_from_the_shuffled_documents():
    documents = [[2, *range(10 * i, 10 * i + 9)] for i in range(1, 9)]
    rows = calibration.sequences(documents, count=5, length=16, seed=3)
    assert [len(row) for row in rows] == [16] * 5
    stream = [token for row in rows for token in row]
    whole = [stream[i : i + 10] for i in range(0, 80, 10)]
    assert sorted(whole) == sorted(documents)  # each once, none torn
    assert whole != documents
    assert rows == calibration.sequences(documents, count=5, length=16, seed=3)
    assert rows != calibration.sequences(documents, count=5, length=16, seed=4)


def test_a_calibration_set_shorter_than_asked_for_is_refused():
    said = "calibration asks for 5 .* of 16 tokens = 80, the train split has 79; lower calibration."
    with pytest.raises(InputError, match=said):
        calibration.sequences([[0] * 79], count=5, length=16, seed=0)
