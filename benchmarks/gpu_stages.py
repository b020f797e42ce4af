"""Each stage's rate on this machine's GPU, at the paper's shapes: run by benchmarks/gpu.py."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import gpu_peers
import gpu_stand_ins as stand_ins
import torch

from sparsesum.machine import device as devices

SCRIPTS = stand_ins.ROOT / "workflow" / "scripts"
STEPS = 6
"""Timed steps of a training, after WARM_UP."""
WARM_UP = 3
IMPORTS = {
    "prune": "torch, sparsesum.pruning.layerwise",
    "generate": "torch, sparsesum.generation.generation, sparsesum.models.deployed",
    "measure": "torch, sparsesum.generation.costs, sparsesum.models.deployed, pyarrow.parquet",
    "full": "sparsesum.finetuning.finetune, sparsesum.finetuning.methods.full",
    "qlora": "sparsesum.finetuning.finetune, sparsesum.finetuning.methods.qlora",
    "examples": "sparsesum.scoring.similarity\nsparsesum.scoring.similarity.modules()",
}
"""What a job of each rule imports, as Python says it after "import"."""


class Bench:
    """The GPU, a folder for drafts, and the figures so far by name: seconds, or what each says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.device = folder, devices.prepare("cuda", 8)
        self.card = devices.name(self.device)
        self.found: dict[str, dict] = {}
        self.started = time.perf_counter()

    def note(self, name: str, **figures: float | str) -> None:
        """Keep figures, with the peak of memory, and print them."""
        peak = torch.cuda.max_memory_allocated() / 2**30
        self.found[name] = figures | {"peak_gib": round(peak, 1)}
        line = ", ".join(
            f"{key} {value:,.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in self.found[name].items()
        )
        print(f"{time.perf_counter() - self.started:6.1f} s  {name}: {line}", flush=True)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        """Measure peak memory of what is done within, and leave none of it behind."""
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        yield
        torch.cuda.empty_cache()

    def dense(self, model: str) -> Path:
        return stand_ins.dense(model, self.folder, self.device)


def seconds(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def starts(bench: Bench) -> None:
    """Seconds that a job takes to start: imports and CUDA, of all kinds of jobs at once."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SCRIPTS), *sys.path])}

    def start(modules: str) -> float:
        code = f"import runner, {modules}\nimport torch; torch.zeros(1, device='cuda')"
        begun = time.perf_counter()
        command = [sys.executable, "-c", code]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return time.perf_counter() - begun

    with ThreadPoolExecutor(len(IMPORTS)) as pool:
        for rule, spent in zip(IMPORTS, pool.map(start, IMPORTS.values()), strict=True):
            bench.note(f"start of {rule}", seconds=spent)


def prune(bench: Bench, model: str, name: str, wanda: Path | None) -> None:
    """Seconds of a pruning, 2:4; `wanda`: a clone of locuslab/wanda, to set beside it."""
    from sparsesum.experiment import patterns
    from sparsesum.pruning import layerwise

    source, out = bench.dense(model), bench.folder / f"{model}-{name}"
    sequences = torch.tensor(stand_ins.ids(128, 2048))
    pruner = import_module(f"sparsesum.pruning.pruners.{name}")
    given = source, out, sequences, pruner, patterns.parse("2:4"), {}, False, bench.device
    with bench.fresh():
        spent = seconds(lambda: layerwise.prune(*given, save_every=300))
        bench.note(f"prune {model} {name} 2:4", seconds=spent)
    if wanda:
        theirs, work = gpu_peers.wanda(wanda, source, sequences, name, bench.device)
        other = seconds(work)
        bench.note(
            "  locuslab/wanda, the same",
            seconds=other,
            times=other / spent,
            masks_differ=gpu_peers.masks_differ(out, theirs),
        )


def train(
    bench: Bench,
    model: str,
    kind: str,
    settings: dict,
    label: str,
    published: bool = False,
    seed: int = 42,
) -> list[float]:
    """Seconds a step of `effective_batch` bills, and before the first; returns the losses.

    published: as the paper trained. The order of the bills is the same whatever the seed, so that
    losses compare step by step.
    """
    from sparsesum.finetuning import finetune, training
    from sparsesum.finetuning.settings import Notes, Settings, Source

    source, out = bench.dense(model), bench.folder / "training"
    shutil.rmtree(out, ignore_errors=True)
    (out / "notes").mkdir(parents=True)
    count = settings["effective_batch"] * (WARM_UP + STEPS)
    settings = settings | {"epochs": 1, "seed": seed, "log_every": 1}
    ends: list[float] = []

    class Timed(training.Messages):
        def on_step_end(self, args, state, control, **kwargs):
            torch.cuda.synchronize()
            ends.append(time.perf_counter())

    ordered = partial(training.Arguments, data_seed=0)
    with (
        patch.multiple(training, Messages=Timed, Arguments=ordered),
        gpu_peers.as_published() if published else contextlib.nullcontext(),
        bench.fresh(),
    ):
        begun = time.perf_counter()
        costs = finetune.finetune(
            import_module(f"sparsesum.finetuning.methods.{kind}"),
            Source(source, stand_ins.tokens(count, bench.folder), source / "tokenizer.json"),
            bench.device,
            Settings.of(settings),
            out,
            Notes(out / "notes"),
        )
        step = (ends[-1] - ends[WARM_UP - 1]) / (len(ends) - WARM_UP)
        bench.note(
            f"{kind} {model} {label}",
            step=step,
            before=ends[0] - begun - step,
            tokens_a_second=settings["effective_batch"] * stand_ins.BILL / step,
            batch=costs["batch_size"],
            checkpointing=costs["checkpointing"],
        )
    lines = (out / "curve.csv").read_text().splitlines()[1:]
    return [float(line.rpartition(",")[2]) for line in lines]


def published(bench: Bench, model: str, settings: dict, losses: list[float]) -> None:
    """The paper's own QLoRA, twice, and how far `losses`, of ours, are from its two curves."""
    slow = settings | {"batch_size": 4, "checkpointing": True}
    one, other = (
        train(bench, model, "qlora", slow, "as published", published=True, seed=seed)
        for seed in (42, 43)
    )
    apart = gpu_peers.apart
    print(f"  losses fall from {one[0]:.3f} to {one[-1]:.3f}; mean difference of a step:")
    print(f"  two published trainings, seeds 42 and 43: {apart(one, other):.4f}")
    print(f"  ours and either: {apart(one, losses):.4f}, {apart(other, losses):.4f}")


def generate(bench: Bench, model: str, dtype: str) -> None:
    """Seconds a bill with as many at once as memory holds; milliseconds a token with one."""
    from sparsesum.generation import costs, generation
    from sparsesum.models import deployed

    source = bench.dense(model)
    prompts = stand_ins.ids(100, stand_ins.PROMPT)
    made = deployed.load(source, None, "dense", bench.device, devices.DTYPES[dtype])
    tokenizer = generation.tokenizer(source / "tokenizer.json")
    with bench.fresh():
        done = generation.generate(made, tokenizer, prompts, "auto", 128)
        bench.note(
            f"generate {model} {dtype}",
            a_bill=done.seconds / len(prompts),
            batch=done.batch_size,
            ms_a_token=costs.milliseconds_per_token(made, prompts[0], 64, 3)[1],
        )


def protocol(bench: Bench, model: str) -> None:
    """The paper's way, on the last QLoRA: int8 kernels, transformers' generate, a bill at a time.

    And the same base and adapter made dense.
    """
    from sparsesum.generation import generation
    from sparsesum.models import deployed, quantisation

    base, adapter = (bench.folder / "training" / name for name in ("base", "adapter"))
    tokenizer = generation.tokenizer(bench.dense(model) / "tokenizer.json")
    prompts = stand_ins.ids(100, stand_ins.PROMPT)
    given = bench.device, torch.float32
    for name in ("int8", "dense"):
        if name == "int8":
            made = deployed.load(base, adapter, "int8", *given)
        else:
            made = quantisation.load_dense(base, *given, adapter)
        with bench.fresh():
            done = generation.generate(made, tokenizer, prompts[:1], 1, 128)
            figures = {"a_bill": done.seconds}
            if name == "int8":
                many = generation.generate(made, tokenizer, prompts, "auto", 128)
                figures |= {"a_bill_many": many.seconds / 100, "batch": many.batch_size}
            bench.note(f"transformers' generate {model} {name}, batch 1", **figures)


def score(bench: Bench) -> None:
    """ROUGE and BERTScore of a row's 200 summaries, the encoder's load included."""
    from sparsesum.models.stand_ins import roberta
    from sparsesum.scoring import similarity

    encoder, records = bench.folder / "encoder", stand_ins.summaries(200)
    roberta(stand_ins.TOKENIZER, encoder)
    similarity.modules()
    with bench.fresh():
        spent = seconds(lambda: similarity.score(records, encoder, 17, 32, str(bench.device)))
        bench.note("examples", seconds=spent)
