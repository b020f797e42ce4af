"""What benchmarks/gpu.py works on: random weights of the paper's shapes, texts of true length.

No time of a step depends on more.
"""

import json
import shutil
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
TOKENIZER = ROOT / "resources" / "models" / "opt-125m-mini" / "tokenizer.json"
MODELS = ("opt-125m", "opt-350m")
BILL, SUMMARY = 1181, 118
"""Tokens of a training sequence and of its part that the summary is, means of 128 real bills."""
PROMPT = 1064


def shape(model: str) -> dict:
    """The paper's model, as its config.json has it."""
    return json.loads((ROOT / "resources" / "paper" / f"{model}.json").read_text())


def dense(model: str, drafts: Path, device: torch.device) -> Path:
    """A dense checkpoint of the shape, with random weights, as rule `dense` writes it."""
    from transformers import OPTConfig, OPTForCausalLM

    from sparsesum.models import checkpoints

    folder = drafts / model
    if not folder.exists():
        with device:  # where random numbers are quickly made
            made = OPTForCausalLM(OPTConfig.from_dict(shape(model)))
        checkpoints.save(made.float().cpu(), folder)
        shutil.copy(TOKENIZER, folder)
    return folder


def tokens(count: int, drafts: Path) -> Path:
    """So many sequences to train on, as rule `tokens` writes them, cut from shipped bills."""
    import pyarrow
    import pyarrow.parquet
    from tokenizers import Tokenizer

    path = drafts / f"{count}.parquet"
    if not path.exists():
        words = Tokenizer.from_file(str(TOKENIZER))
        lines = (ROOT / "resources" / "bills" / "train.jsonl").read_text().splitlines()
        texts = [record["text"] for record in map(json.loads, lines)]
        stream = [i for code in words.encode_batch(texts) for i in code.ids]
        stream *= 1 + count * BILL // len(stream)
        rows = [stream[k * BILL : (k + 1) * BILL] for k in range(count)]
        starts = [BILL - SUMMARY] * count
        pyarrow.parquet.write_table(
            pyarrow.table({"input_ids": rows, "summary_start": starts}), path
        )
    return path


def ids(count: int, length: int) -> list[list[int]]:
    """Token ids drawn at random, so many sequences of one length."""
    generator = torch.Generator().manual_seed(1)
    return torch.randint(4, 50000, (count, length), generator=generator).tolist()


def summaries(count: int) -> list[dict]:
    """Records to score: predictions and references of a summary's length."""
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(TOKENIZER))
    texts = [words.decode([i % 1000 + 4 for i in row]) for row in ids(2 * count, SUMMARY)]
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return [
        {"id": str(i), "prediction": one, "reference": other, "cut_off": False}
        for i, (one, other) in enumerate(pairs)
    ]
