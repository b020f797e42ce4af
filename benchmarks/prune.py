"""Pruning beside llm-compressor, on this machine: seconds, memory, and weights that differ.

    make bench-prune     # or parts: .venv/bin/python benchmarks/prune.py speed exact masks memory

speed: OPT-125m's shape (random weights), 16 sequences of 512 tokens, float32, 2 threads; each
method and pattern three times with either, by turns; medians. Ours includes reading the dense
weights and writing the pruned ones, llm-compressor's is `oneshot` alone on a model in memory.
exact: the weights of `prune.exact` against llm-compressor's, on the trained miniature models and on
both true shapes. masks: how far the default's masks are from the exact mode's on trained weights.
memory: the peak of models of OPT-125m's width and more and more layers.

llm-compressor is installed aside, in .bench/, once. Takes about half an hour; run it with nothing
else running.
"""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
PEER = BENCH / "llmcompressor" / "bin" / "python"
PEER_PACKAGES = ["llmcompressor==0.14.0.1", "torch==2.13.0", "transformers==5.17.0"]
METHODS = ["wanda", "sparsegpt"]
PATTERNS = ["50", "4of8", "2of4"]
MINIATURES = ["opt-125m-mini", "opt-350m-mini"]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))


def install() -> None:
    """llm-compressor in an environment of its own: it needs other versions than we do."""
    if not PEER.exists():
        print(f"installing {', '.join(PEER_PACKAGES)} into {PEER.parents[1]}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", PEER.parents[1]], check=True)
        subprocess.run([PEER, "-m", "pip", "install", "--quiet", *PEER_PACKAGES], check=True)


def stand_in(name: str, layers: int | None = None) -> Path:
    """A float32 checkpoint of a true shape, or of so many layers; random weights."""
    from sparsesum.base import files
    from sparsesum.models import checkpoints, stand_ins

    folder = BENCH / (f"{name}_{layers}" if layers else name)
    if not folder.exists():
        tokenizer = ROOT / "resources/models/opt-125m-mini/tokenizer.json"
        shape = files.read_json(ROOT / f"resources/paper/{name}.json")
        shape |= {"num_hidden_layers": layers} if layers else {}
        with TemporaryDirectory(dir=BENCH) as half, files.whole(folder) as draft:
            stand_ins.opt(shape, tokenizer, Path(half))
            checkpoints.save(checkpoints.load(Path(half)), draft)
    return folder


def miniature(name: str) -> Path:
    """A float32 checkpoint of a miniature model, trained."""
    from sparsesum.base import files
    from sparsesum.models import checkpoints

    folder = BENCH / name
    if not folder.exists():
        with files.whole(folder) as draft:
            checkpoints.save(checkpoints.load(ROOT / "resources/models" / name), draft)
    return folder


def random_tokens(count: int, length: int) -> Path:
    """A calibration set of random tokens: time does not depend on what they say."""
    import torch
    from safetensors.torch import save_file

    file = BENCH / f"random_{count}x{length}.safetensors"
    generator = torch.Generator().manual_seed(0)
    save_file({"input_ids": torch.randint(4, 50000, (count, length), generator=generator)}, file)
    return file


def bills(name: str, seed: int, count: int = 32) -> Path:
    """The calibration set of the embedded default for a miniature model, or of another seed."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer

    from sparsesum.base import files
    from sparsesum.corpus import calibration, tokens

    tokenizer = Tokenizer.from_file(str(ROOT / "resources/models" / name / "tokenizer.json"))
    records = [
        {"id": "", **bill} for bill in files.read_jsonl(ROOT / "resources/bills/train.jsonl")
    ]
    documents = tokens.tokenise(tokenizer, records, 256, 96)["input_ids"]
    file = BENCH / f"{name}_bills_{seed}_{count}.safetensors"
    ids = calibration.sequences(documents, count, 256, seed)
    save_file({"input_ids": torch.tensor(ids)}, file)
    return file


def run(who: str, *arguments: object) -> dict:
    """Prune in a process of its own: `peer`, `exact` or `fast`; what it says of itself."""
    command = [PEER, ROOT / "benchmarks/peer.py"]
    if who != "peer":
        command = [sys.executable, __file__, who]
    done = subprocess.run(
        [*map(str, command), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"},
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def prune(
    mode: str, source: str, calibration: str, method: str, pattern: str, threads: str, out: str
) -> dict[str, float]:
    """Prune in this process; the seconds of each stage."""
    import shutil

    import torch
    from safetensors.torch import load_file

    from sparsesum.experiment import patterns
    from sparsesum.pruning import layerwise

    torch.set_num_threads(int(threads))
    pruner = import_module(f"sparsesum.pruning.pruners.{method}")
    sequences = load_file(calibration)["input_ids"]
    shutil.rmtree(out, ignore_errors=True)
    return layerwise.prune(
        Path(source), Path(out), sequences, pruner, patterns.named(pattern), {}, mode == "exact"
    )


def peak_mb() -> float:
    """The most memory this process had resident; getrusage would count its parent's, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**10


def ours(*arguments: str) -> None:
    """The work of a process that `run` starts."""
    import time

    from sparsesum.pruning import layerwise  # noqa: F401 - imports are no part of the time, on either side

    start = time.perf_counter()
    stages = prune(*arguments)
    seconds = time.perf_counter() - start
    peak = peak_mb()
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "stages": stages}))


def differing(one: Path, other: Path) -> tuple[int, int, float]:
    """Weights that differ in any tensor, weights in all, and the share of mask positions."""
    from sparsesum.models import linears
    from sparsesum.models.tensorfile import TensorFile

    a, b = (TensorFile(folder / "model.safetensors") for folder in (one, other))
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    names = set(linears.weights(a))
    weights = masks = total = pruned = 0
    for name in a:
        x, y = a[name], b[name]
        weights += int((x != y).sum())
        total += x.numel()
        if name in names:
            masks += int(((x == 0) != (y == 0)).sum())
            pruned += x.numel()
    return weights, total, masks / pruned


def speed() -> None:
    source, calibration = stand_in("opt-125m"), random_tokens(16, 512)
    print("\nSpeed: OPT-125m's shape, 16 x 512 tokens, float32, 2 threads, medians of three\n")
    print("method     pattern  llm-compressor        ours                  ratio   memory")
    for method in METHODS:
        for pattern in ("50", "2of4"):
            arguments = source, calibration, method, pattern, 2
            runs = [
                (run("peer", *arguments, BENCH / "peer"), run("fast", *arguments, BENCH / "fast"))
                for _ in range(3)
            ]
            theirs, our = ([pair[i] for pair in runs] for i in (0, 1))
            one, two = (median(r["seconds"] for r in side) for side in (theirs, our))
            memory = [median(r["peak_mb"] for r in side) for side in (theirs, our)]
            print(
                f"{method:10} {pattern:8} {one:6.1f} s {memory[0]:6.0f} MiB  {two:6.1f} s "
                f"{memory[1]:6.0f} MiB  {one / two:6.2f}x  {memory[1] / memory[0]:6.2f}x",
                flush=True,
            )
            middle = sorted(our, key=lambda r: r["seconds"])[1]
            shares = sorted(middle["stages"].items(), key=lambda item: -item[1])
            parts = (f"{name} {spent / middle['seconds']:.0%}" for name, spent in shares)
            print(f"{'':20}of ours: {', '.join(parts)}")


def exact() -> None:
    print("\nExact mode: weights that differ from llm-compressor's\n")
    # llm-compressor sorts sequences by length, and more than 16 of one length it shuffles thereby.
    cases = [(name, miniature(name), bills(name, 0, 16), 1) for name in MINIATURES]
    cases += [(name, stand_in(name), random_tokens(4, 256), 2) for name in ("opt-125m", "opt-350m")]
    wrong = 0
    for name, source, calibration, threads in cases:
        for method in METHODS:
            for pattern in PATTERNS:
                arguments = source, calibration, method, pattern, threads
                run("peer", *arguments, BENCH / "peer")
                run("exact", *arguments, BENCH / "exact")
                found, total, _ = differing(BENCH / "peer", BENCH / "exact")
                print(f"{name:14} {method:10} {pattern:5} {found:,} of {total:,}", flush=True)
                wrong += found
    if wrong:
        sys.exit("the exact mode is not exact")


def masks() -> None:
    print("\nMasks: share of positions that differ from the exact mode's, five calibration sets\n")
    print("model          method     pattern  default                      exact, two threads")
    for name in MINIATURES:
        sets = [bills(name, seed) for seed in range(5)]
        for method in METHODS:
            for pattern in PATTERNS:
                shares = []
                for calibration in sets:
                    arguments = miniature(name), calibration, method, pattern
                    prune("exact", *arguments, 1, BENCH / "exact")
                    prune("fast", *arguments, 1, BENCH / "fast")
                    prune("exact", *arguments, 2, BENCH / "other")
                    shares.append(
                        [differing(BENCH / "exact", BENCH / n)[2] for n in ("fast", "other")]
                    )
                default, other = (
                    f"median {median(column):.2%}, most {max(column):.2%}"
                    for column in zip(*shares, strict=True)
                )
                print(f"{name:14} {method:10} {pattern:7}  {default:28} {other}", flush=True)


def memory() -> None:
    print("\nMemory: SparseGPT 2:4, OPT-125m's width, 4 x 256 tokens, peak resident size\n")
    print("layers   weights    llm-compressor   ours")
    for layers in (6, 12, 24, 48):
        source = stand_in("opt-125m", layers)
        arguments = source, random_tokens(4, 256), "sparsegpt", "2of4", 2
        theirs, our = (run(who, *arguments, BENCH / who)["peak_mb"] for who in ("peer", "fast"))
        weights = (source / "model.safetensors").stat().st_size / 2**20
        print(f"{layers:6} {weights:6.0f} MiB {theirs:12.0f} MiB {our:6.0f} MiB", flush=True)


PARTS = {"speed": speed, "exact": exact, "masks": masks, "memory": memory}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("fast", "exact") and len(sys.argv) > 3:
        ours(*sys.argv[1:])
    else:
        if unknown := set(sys.argv[1:]) - set(PARTS):
            sys.exit(f"unknown part {min(unknown)}; there are: {', '.join(PARTS)}")
        BENCH.mkdir(exist_ok=True)
        install()
        for part in sys.argv[1:] or PARTS:
            PARTS[part]()
