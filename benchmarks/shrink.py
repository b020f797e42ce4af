"""Shrinking at true shape, on this machine: what it takes, and what the smaller model takes.

    .venv/bin/python benchmarks/shrink.py opt-125m [TOKENIZER]
    .venv/bin/python benchmarks/shrink.py opt-350m [TOKENIZER]

Random weights, float32, 2 threads. Shrinking: seconds and peak memory, from 16 sequences of 512
tokens. Generation: seconds of 8 summaries of 64 tokens, of prompts of 512 tokens, all at once; peak
memory; milliseconds a token at batch size 1. Each in a process of its own, one after the other; run
it with nothing else running. TOKENIZER: a folder with OPT's tokenizer, without which no vocabulary
is cut.
"""

import json
import shutil
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
MINIATURE = ROOT / "resources/models/opt-125m-mini"
STEPS = {"neurons": 0.5, "layers": 0.75, "vocabulary": 16384}
CHAINS = [["neurons"], ["layers"], ["vocabulary"], ["layers", "neurons", "vocabulary"]]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))


def stand_in(name: str, tokenizer: Path, folder: Path) -> dict[str, float]:
    """A float32 checkpoint of a true shape, with random weights and the tokenizer of a folder."""
    from sparsesum.base import files
    from sparsesum.models import checkpoints, stand_ins, tokenizer_files

    with TemporaryDirectory() as half:
        shape = files.read_json(ROOT / f"resources/paper/{name}.json")
        stand_ins.opt(shape, MINIATURE / "tokenizer.json", Path(half))
        folder.mkdir()
        checkpoints.save(checkpoints.load(Path(half)), folder)
    for file in tokenizer.glob("*"):
        if file.name in ("tokenizer.json", "vocab.json", "merges.txt"):
            shutil.copy(file, folder)
    checkpoints.load_tokenizer(folder).save(str(folder / "tokenizer.json"))
    tokenizer_files.describe(folder)
    return {}


def shrunk(kind: str, source: Path, folder: Path) -> dict[str, float]:
    """Shrink a checkpoint by a kind of STEPS: seconds and peak MiB."""
    import torch

    from sparsesum.base import files
    from sparsesum.machine import device
    from sparsesum.models import tokenizer_files
    from sparsesum.shrinking import cut

    device.prepare("cpu", 2)
    folder.mkdir()
    size = files.read_json(source / "config.json")["vocab_size"]
    sequences = torch.randint(4, size, (16, 512), generator=torch.Generator().manual_seed(0))
    bills = files.read_jsonl(ROOT / "resources/bills/train.jsonl")
    texts = [f"{bill['text']}{bill['summary']}" for bill in bills]
    given = cut.Given(sequences, texts, source / "tokenizer.json")
    options = {"by": "cosine"} if kind == "layers" else {}
    start = time.perf_counter()
    module = import_module(f"sparsesum.shrinking.kinds.{kind}")
    module.shrink(source, folder, STEPS[kind], given, **options)
    seconds = time.perf_counter() - start
    if not (folder / "tokenizer.json").exists():
        tokenizer_files.add(source / "tokenizer.json", folder)
    return {"seconds": seconds, "peak": device.peak_memory_mb(torch.device("cpu"))}


def generated(folder: Path) -> dict[str, float]:
    """What a checkpoint takes to write 8 summaries, and a token alone."""
    import torch
    from tokenizers import Tokenizer

    from sparsesum.generation import costs, generation
    from sparsesum.machine import device
    from sparsesum.models import deployed, sizes

    cpu = device.prepare("cpu", 2)
    model = deployed.load(folder, None, "dense", cpu)
    generator = torch.Generator().manual_seed(0)
    prompts = torch.randint(4, model.config["vocab_size"], (8, 512), generator=generator).tolist()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # Random weights end no summary, or hardly.
    found = generation.generate(model, tokenizer, prompts, 8, 64)
    latency = costs.milliseconds_per_token(model, prompts[0], 32, 3)
    return {
        "parameters": sizes.parameters([folder / "model.safetensors"]),
        "tokens": sum(map(len, found.tokens)),
        "seconds": found.seconds,
        "peak": found.peak_memory_mb,
        "latency": latency[1],
    }


def apart(*arguments: object) -> dict[str, float]:
    """Run a part of this file in a process of its own.

    This one stays small: Linux counts its memory as a child's peak.
    """
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main(name: str, tokenizer: Path) -> None:
    heads = ["", "shrinking [s]", "its peak [MiB]", "parameters", "8 summaries [s]", "peak [MiB]"]
    print("|", *(f"{head} |" for head in [*heads, "ms/token"]))
    print("|---" * 7 + "|")
    with TemporaryDirectory() as place:
        dense = Path(place) / "dense"
        apart("stand_in", name, tokenizer, dense)
        whole = apart("generated", dense)
        report("dense", {"seconds": 0, "peak": 0}, whole, whole)
        for chain in CHAINS:
            if "vocabulary" in chain and tokenizer == MINIATURE:
                continue
            folder, spent = dense, {"seconds": 0.0, "peak": 0.0}
            for kind in chain:
                after = Path(place) / "+".join([*folder.name.split("+"), kind])
                if not after.exists():
                    step = apart("shrunk", kind, folder, after)
                    spent["seconds"] += step["seconds"]
                    spent["peak"] = max(spent["peak"], step["peak"])
                folder = after
            words = "+".join(f"{kind} {STEPS[kind]:g}" for kind in chain)
            report(words, spent, apart("generated", folder), whole)


def report(
    words: str, spent: dict[str, float], found: dict[str, float], whole: dict[str, float]
) -> None:
    assert found["tokens"] == whole["tokens"], "a summary ended early"
    cells = [words, f"{spent['seconds']:.1f}", f"{spent['peak']:,.0f}"]
    forms = {"parameters": ",.0f", "seconds": ".2f", "peak": ",.0f", "latency": ".1f"}
    for key, form in forms.items():
        cells.append(f"{found[key]:{form}} ({found[key] / whole[key]:.2f})")
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["stand_in"]:
        print(json.dumps(stand_in(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))))
    elif sys.argv[1:2] == ["generated"]:
        print(json.dumps(generated(Path(sys.argv[2]))))
    elif sys.argv[1:2] == ["shrunk"]:
        print(json.dumps(shrunk(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))))
    elif len(sys.argv) in (2, 3) and (ROOT / f"resources/paper/{sys.argv[1]}.json").exists():
        main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) == 3 else MINIATURE)
    else:
        sys.exit(__doc__)
