"""Generation, likelihood and scores on a GPU: the CPU's, with and without CUDA graphs."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from sparsesum.corpus.bills import bills
from sparsesum.corpus.prompt import inference_prompt
from sparsesum.generation import decoding, generation
from sparsesum.machine import memory
from sparsesum.models import checkpoints, deployed, quantisation, stand_ins
from sparsesum.scoring import likelihood, similarity  # fmt: skip

CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parents[2]
MINIATURES = ["opt-125m-mini", "opt-350m-mini"]


def prompts_of(folder: Path, count: int) -> list[list[int]]:
    words = checkpoints.load_tokenizer(folder)
    return [words.encode(inference_prompt(bill.text)).ids for bill in bills("us", count, 7)]


@pytest.mark.parametrize("name", MINIATURES)
def test_tokens_are_the_cpus_and_graphs_change_none(name, gpu, monkeypatch):
    folder = ROOT / "resources" / "models" / name
    tokenizer, prompts = generation.tokenizer(folder / "tokenizer.json"), prompts_of(folder, 23)

    def tokens(where, size):
        model = deployed.load(folder, None, "dense", where)
        return generation.generate(model, tokenizer, prompts, size, 40).tokens

    # 23 in batches of 10: a captured step serves all three, the last of them not full.
    there = tokens(gpu, 10)
    assert there == tokens(gpu, 10)
    assert len({tuple(row) for row in there}) > 10
    for other in (tokens(CPU, 23), tokens(gpu, 1), tokens(gpu, "auto")):
        assert sum(a != b for a, b in zip(there, other, strict=True)) <= 1
    plain = decoding.Greedy.__init__
    monkeypatch.setattr(
        decoding.Greedy, "__init__", lambda *args, **kwargs: plain(*args, **kwargs, graph=False)
    )
    assert there == tokens(gpu, 10)


def test_half_precision_writes_nearly_the_same(gpu):
    folder = ROOT / "resources" / "models" / MINIATURES[0]
    tokenizer, prompts = generation.tokenizer(folder / "tokenizer.json"), prompts_of(folder, 20)
    one, other = (
        generation.generate(
            deployed.load(folder, None, "dense", gpu, dtype), tokenizer, prompts, 20, 12
        ).tokens
        for dtype in (torch.float32, torch.bfloat16)
    )
    same = [
        sum(a == b for a, b in zip(x, y, strict=False)) for x, y in zip(one, other, strict=True)
    ]
    assert sum(same) > 0.7 * sum(map(len, one))


@pytest.fixture(scope="module")
def row(tmp_path_factory) -> tuple[Path, Path]:
    """An int8 base of a trained miniature, quantised on the GPU, and an adapter that does a bit."""
    folder = tmp_path_factory.mktemp("row")
    source = ROOT / "resources" / "models" / MINIATURES[0]
    model = quantisation.load(source, torch.device("cuda"))
    checkpoints.save(model, folder / "base")
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "fc1"]))
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.02)
    adapted.save_pretrained(folder / "adapter")
    return folder / "base", folder / "adapter"


def test_both_engines_write_the_same(row, gpu):
    folder = ROOT / "resources" / "models" / MINIATURES[0]
    tokenizer, prompts = generation.tokenizer(folder / "tokenizer.json"), prompts_of(folder, 20)
    models = [
        deployed.load(*row, "dense", gpu),
        deployed.load(*row, "dense", CPU),
        quantisation.load_dense(row[0], gpu, torch.float32, row[1]),
        deployed.load(*row, "int8", gpu),
    ]
    dense, cpu, merged, int8 = (
        generation.generate(model, tokenizer, prompts, 10, 12).tokens for model in models
    )
    assert sum(a != b for a, b in zip(dense, cpu, strict=True)) <= 1
    assert sum(a != b for a, b in zip(dense, merged, strict=True)) <= 1
    # int8 kernels round what they multiply.
    assert sum(a == b for a, b in zip(dense, int8, strict=True)) >= 14


def test_a_small_card_decodes_fewer_at_once(gpu, monkeypatch):
    folder = ROOT / "resources" / "models" / MINIATURES[0]
    tokenizer, prompts = generation.tokenizer(folder / "tokenizer.json"), prompts_of(folder, 9)
    model = deployed.load(folder, None, "dense", gpu)
    whole = generation.generate(model, tokenizer, prompts, "auto", 8)
    monkeypatch.setattr(memory, "SHARE", 1e-9)
    assert (whole.batch_size, generation.generate(model, tokenizer, prompts, "auto", 8)[2]) == (
        9,
        1,
    )


def test_likelihoods_are_the_cpus(gpu):
    folder = ROOT / "resources" / "models" / MINIATURES[1]
    sequences = prompts_of(folder, 6)
    here, there = (
        likelihood.negative_log(
            deployed.load(folder, None, "dense", where), sequences, [1, 5, 9, 1, 1, 30]
        )
        for where in (CPU, gpu)
    )
    assert there == pytest.approx(here, rel=1e-4)


def test_scores_are_the_cpus_and_the_same_twice(gpu, tmp_path):
    shape = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    words = ROOT / "resources" / "models" / MINIATURES[0] / "tokenizer.json"
    stand_ins.roberta(words, tmp_path, **shape, intermediate_size=64)
    texts = [bill.summary for bill in bills("us", 30, 7)]
    records = [
        {"id": str(i), "prediction": text, "reference": texts[i - 1], "cut_off": False}
        for i, text in enumerate(texts)
    ]
    there, again, here = (
        similarity.score(records, tmp_path, 3, 8, where) for where in ("cuda", "cuda", "cpu")
    )
    assert there == again
    for one, other in zip(there, here, strict=True):
        assert one["bertscore"] == pytest.approx(other["bertscore"], abs=1e-4)
        assert one["rougeL"] == other["rougeL"]
