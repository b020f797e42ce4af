"""What a GPU needs for the paper's grid: each stage's rate at true shape, then the plan.

    make bench-gpu                            or: python3 benchmarks/gpu.py
    python3 benchmarks/gpu.py --wanda FOLDER  beside locuslab/wanda, a clone of it
    python3 benchmarks/gpu.py --protocol      beside the paper's own way to train and to generate

Models of both shapes with random weights, token ids drawn at random, bills of the length that
BillSum's have after truncation: no time of a step depends on more. Prints a line as each figure is
there, and at the end how long the whole of paper.yaml and of recommended.yaml will take.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
from sparsesum.errors import InputError  # noqa: E402

os.environ |= {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "USE_TF": "0", "USE_JAX": "0"}
BILL, SUMMARY = 1181, 118
"""Tokens of a training sequence and of its part that the summary is, means of 128 real bills."""
PROMPT = 1064
SHARED = 3
"""Jobs at once on a card where their time is no result."""
TOKENIZER = ROOT / "resources" / "models" / "opt-125m-mini" / "tokenizer.json"
STEPS = 6
"""Timed steps of a training, after WARM_UP."""
WARM_UP = 3
MODELS = ("opt-125m", "opt-350m")
IMPORTS = {
    "prune": "torch, sparsesum.layerwise",
    "generate": "torch, sparsesum.generation, pyarrow.parquet",
    "measure": "torch, sparsesum.generation, pyarrow.parquet",
    "full": "sparsesum.full",
    "qlora": "sparsesum.qlora",
    "examples": "sparsesum.scores\nsparsesum.scores.modules()",
}


def overlaid(*names: str) -> dict:
    """A configuration as Snakemake merges it."""
    import yaml

    def merge(low: dict, high: dict) -> dict:
        both = {
            k: merge(low[k], v) if isinstance(v, dict) and isinstance(low.get(k), dict) else v
            for k, v in high.items()
        }
        return low | both

    config: dict = {}
    for name in ("config", *names):
        config = merge(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    return config


class Bench:
    """The figures so far, by name: seconds, or what else the name says."""

    def __init__(self, folder: Path) -> None:
        import torch

        from sparsesum import device

        self.folder, self.device = folder, device.prepare("cuda", 8)
        self.card = device.name(self.device)
        self.found: dict[str, dict] = {}
        self.started = time.perf_counter()
        self.torch = torch

    def note(self, name: str, **figures: float | str) -> None:
        peak = self.torch.cuda.max_memory_allocated() / 2**30
        self.found[name] = figures | {"peak_gib": round(peak, 1)}
        told = ", ".join(
            f"{key} {value:,.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in self.found[name].items()
        )
        print(f"{time.perf_counter() - self.started:6.1f} s  {name}: {told}", flush=True)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        """Measure peak memory of what is done within, and leave none of it behind."""
        self.torch.cuda.empty_cache()
        self.torch.cuda.reset_peak_memory_stats()
        yield
        self.torch.cuda.empty_cache()

    def seconds(self, work: Callable[[], object]) -> float:
        self.torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        self.torch.cuda.synchronize()
        return time.perf_counter() - start

    # ---- what is worked on

    def dense(self, model: str) -> Path:
        """A dense checkpoint of the shape, with random weights, as rule `dense` writes it."""
        from transformers import OPTConfig, OPTForCausalLM

        from sparsesum import checkpoints

        folder = self.folder / model
        if not folder.exists():
            shape = json.loads((ROOT / "resources" / "paper" / f"{model}.json").read_text())
            with self.device:  # where random numbers are quickly made
                made = OPTForCausalLM(OPTConfig.from_dict(shape))
            checkpoints.save(made.float().cpu(), folder)
            shutil.copy(TOKENIZER, folder)
        return folder

    def tokens(self, count: int) -> Path:
        """So many sequences to train on, as rule `tokens` writes them, cut from shipped bills."""
        import pyarrow
        import pyarrow.parquet
        from tokenizers import Tokenizer

        path = self.folder / f"{count}.parquet"
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

    def ids(self, count: int, length: int) -> list[list[int]]:
        generator = self.torch.Generator().manual_seed(1)
        return self.torch.randint(4, 50000, (count, length), generator=generator).tolist()

    # ---- the stages

    def prune(self, model: str, name: str, wanda: Path | None) -> None:
        from importlib import import_module

        from sparsesum import layerwise, patterns

        torch, source = self.torch, self.dense(model)
        sequences = torch.tensor(self.ids(128, 2048))
        out = self.folder / f"{model}-{name}"
        pruner = import_module(f"sparsesum.pruners.{name}")
        with self.fresh():
            spent = self.seconds(
                lambda: layerwise.prune(
                    source,
                    out,
                    sequences,
                    pruner,
                    patterns.parse("2:4"),
                    {},
                    False,
                    self.device,
                    save_every=300,
                )
            )
            self.note(f"prune {model} {name} 2:4", seconds=spent)
        if wanda:
            state, theirs = self.reference(wanda, source, sequences, name)
            kept = tensors(out)
            zero = [
                (kept[k] == 0, state[k] == 0) for k in kept if k in state and kept[k].dim() == 2
            ]
            differ = sum(int((a != b).sum()) for a, b in zero) / sum(a.numel() for a, _ in zero)
            self.note(
                "  locuslab/wanda, the same",
                seconds=theirs,
                times=theirs / spent,
                masks_differ=differ,
            )

    def reference(self, wanda: Path, source: Path, sequences, name: str) -> tuple[dict, float]:
        """Weights and seconds of the reference code on a model in the GPU's memory."""
        from transformers import OPTForCausalLM

        sys.path.insert(0, str(wanda))
        from lib import prune_opt

        torch = self.torch
        model = OPTForCausalLM.from_pretrained(source, dtype=torch.float32).to(self.device).eval()
        model.seqlen, model.hf_device_map = sequences.shape[1], {}
        prune_opt.get_loaders = lambda *_, **__: ([(row[None], None) for row in sequences], None)
        arguments = SimpleNamespace(
            nsamples=len(sequences), seed=0, sparsity_ratio=0.5, use_variant=False
        )
        function = getattr(prune_opt, f"prune_{name}")
        with contextlib.redirect_stdout(io.StringIO()):
            spent = self.seconds(lambda: function(arguments, model, None, self.device, 2, 4))
        return {key: value.cpu() for key, value in model.state_dict().items()}, spent

    def train(
        self, model: str, kind: str, settings: dict, label: str, published=False, seed=42
    ) -> list[float]:
        """Seconds a step of `effective_batch` bills, and before the first; returns the losses.

        The order of the bills is the same whatever the seed, so that losses compare step by step.
        """
        from importlib import import_module

        from sparsesum import training

        torch, source = self.torch, self.dense(model)
        out = self.folder / "training"
        shutil.rmtree(out, ignore_errors=True)
        (out / "notes").mkdir(parents=True)
        count = settings["effective_batch"] * (WARM_UP + STEPS)
        settings = settings | {"epochs": 1, "seed": seed, "log_every": 1}
        ends: list[float] = []

        class Timed(training.Told):
            def on_step_end(self, args, state, control, **kwargs):
                torch.cuda.synchronize()
                ends.append(time.perf_counter())

        made = (out,) if kind == "full" else (out / "base", out / "adapter")
        plain = training.Told, training.examples, training._collator, training.TrainingArguments
        training.Told = Timed
        training.TrainingArguments = partial(plain[3], data_seed=0)
        if published:
            training.examples = lambda *given: [to_2048(row, torch) for row in plain[1](*given)]
            training._collator = lambda data, file, *_: plain[2](data, file, False, None)
        try:
            with self.fresh():
                begun = time.perf_counter()
                costs = import_module(f"sparsesum.{kind}").finetune(
                    source,
                    self.tokens(count),
                    source / "tokenizer.json",
                    self.device,
                    settings,
                    *made,
                    out / "curve.csv",
                    out / "notes",
                )
                step = (ends[-1] - ends[WARM_UP - 1]) / (len(ends) - WARM_UP)
                self.note(
                    f"{kind} {model} {label}",
                    step=step,
                    before=ends[0] - begun - step,
                    tokens_a_second=settings["effective_batch"] * BILL / step,
                    batch=costs["batch_size"],
                    checkpointing=costs["checkpointing"],
                )
        finally:
            (
                training.Told,
                training.examples,
                training._collator,
                training.TrainingArguments,
            ) = plain
        lines = (out / "curve.csv").read_text().splitlines()[1:]
        return [float(line.rpartition(",")[2]) for line in lines]

    def generate(self, model: str, dtype: str) -> None:
        """Seconds a bill with as many at once as memory holds; milliseconds a token with one."""
        from sparsesum import costs, device, generation

        source = self.dense(model)
        prompts = self.ids(100, PROMPT)
        made = generation.load(source, None, "dense", self.device, device.DTYPES[dtype])
        tokenizer = generation.tokenizer(source / "tokenizer.json")
        with self.fresh():
            done = generation.generate(made, tokenizer, prompts, "auto", 128)
            self.note(
                f"generate {model} {dtype}",
                a_bill=done.seconds / len(prompts),
                batch=done.batch_size,
                ms_a_token=costs.milliseconds_per_token(made, prompts[0], 64, 3)[1],
            )

    def protocol(self, model: str) -> None:
        """The paper's way: int8 kernels, transformers' generate, one bill at a time."""
        from sparsesum import generation, paper_engine, quantisation

        base, adapter = self.folder / "training" / "base", self.folder / "training" / "adapter"
        tokenizer = generation.tokenizer(self.dense(model) / "tokenizer.json")
        prompts = self.ids(100, PROMPT)
        dtype = self.torch.float32
        loads = {
            "int8": lambda: paper_engine.load(base, adapter, self.device, dtype),
            "dense": lambda: quantisation.load_dense(base, self.device, dtype, adapter),
        }
        for name, load in loads.items():
            made = load()
            with self.fresh():
                done = generation.generate(made, tokenizer, prompts[:1], 1, 128)
                figures = {"a_bill": done.seconds}
                if name == "int8":
                    many = generation.generate(made, tokenizer, prompts, "auto", 128)
                    figures |= {"a_bill_many": many.seconds / 100, "batch": many.batch_size}
                self.note(f"transformers' generate {model} {name}, batch 1", **figures)

    def score(self, encoder: Path) -> None:
        """ROUGE and BERTScore of a row's 200 summaries, the encoder's load included."""
        from tokenizers import Tokenizer

        from sparsesum import scores

        words = Tokenizer.from_file(str(TOKENIZER))
        texts = [words.decode([i % 1000 + 4 for i in ids]) for ids in self.ids(400, SUMMARY)]
        records = [
            {
                "id": str(i),
                "prediction": texts[2 * i],
                "reference": texts[2 * i + 1],
                "cut_off": False,
            }
            for i in range(200)
        ]
        scores.modules()
        with self.fresh():
            spent = self.seconds(lambda: scores.score(records, encoder, 17, 32, str(self.device)))
            self.note("examples", seconds=spent)

    def starts(self) -> None:
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
                self.note(f"start of {rule}", seconds=spent)


def apart(one: list[float], other: list[float]) -> float:
    """The mean difference of two loss curves, without its sign."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def tensors(folder: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def to_2048(example: dict, torch) -> dict:
    """An example padded as the authors' notebook did."""
    more = (0, 2048 - len(example["labels"]))
    return {
        "input_ids": torch.nn.functional.pad(example["input_ids"], more, value=1),
        "labels": torch.nn.functional.pad(example["labels"], more, value=-100),
    }


def plan(found: dict[str, dict], preset: str, config: dict) -> dict[str, float]:
    """Seconds of each stage of a whole grid, from the figures found.

    Training, generation and measurements one after the other; pruning and scoring several at once
    on one card, which makes of them a third. Preparation on the CPU and tables are left out.
    """
    from sparsesum import grid

    spent: dict[str, float] = {}
    rows = grid.read(ROOT / config["grid"], list(config["models"]))
    bills = sum(
        config["corpora"]["billsum"]["splits"][x]["records"] for x in ("validation", "test")
    )

    def add(stage: str, seconds: float) -> None:
        spent[stage] = spent.get(stage, 0.0) + seconds

    def start(rule: str) -> float:
        return found[f"start of {rule}"]["seconds"]

    pruned = set()
    for row in rows:
        if row.checkpoint != "dense" and (row.model, row.checkpoint) not in pruned:
            pruned.add((row.model, row.checkpoint))
            work = found.get(f"prune {row.model} {row.pruner} 2:4", {"seconds": 1.0})["seconds"]
            add("prune", (start("prune") + work) / SHARED)
        if row.finetuning != "base":
            figures = found[f"{row.finetuning} {row.model} {preset}"]
            settings = config[row.finetuning]
            records = config["corpora"]["billsum"]["splits"]["train"]["records"]
            steps = -(-records // settings["effective_batch"]) * settings["epochs"]
            work = figures["before"] + steps * figures["step"]
            add(row.finetuning, start(row.finetuning) + work)
        dtype = "bf16" if config["generate"]["dtype"] == "auto" else config["generate"]["dtype"]
        figures = found[f"generate {row.model} {dtype}"]
        add("generate", start("generate") + (bills + figures["batch"]) * figures["a_bill"])
        tokens = config["measure"]["tokens"] * (config["measure"]["repeats"] + 1)
        add("measure", start("measure") + tokens * figures["ms_a_token"] / 1000)
        if row.finetuning == "qlora" and row.pruner == "none":
            slow = found[f"transformers' generate {row.model} int8, batch 1"]["a_bill"] / 128
            add("measure", start("qlora") + 2 * tokens * slow)
        add("examples", (start("examples") + found["examples"]["seconds"]) / SHARED)
    return spent


def smaller_card(config: dict, gib: int, device) -> str:
    """What `auto` makes of a card of so many GiB."""
    import torch

    from sparsesum import memory

    memory.SHARE *= gib * 2**30 / torch.cuda.get_device_properties(device).total_memory
    told = []
    for model in MODELS:
        shape = json.loads((ROOT / "resources" / "paper" / f"{model}.json").read_text())
        for kind, trained in (("full", 1.0), ("qlora", 0.01)):
            settings = config[kind]
            half = settings["precision"] != "fp32"
            labelled = 1.0 if settings["loss"] == "sequence" else SUMMARY / BILL
            weights = shape["num_hidden_layers"] * 12 * shape["hidden_size"] ** 2
            for checkpointing in (False, True):
                size = memory.of_training(
                    device,
                    shape,
                    1200,
                    int(trained * weights),
                    labelled,
                    half,
                    settings["effective_batch"],
                    checkpointing,
                )
                if size:
                    break
            told.append(f"{kind} {model}: {size} at a time{', checkpointed' * checkpointing}")
        size = 4 if config["generate"]["dtype"] == "fp32" else 2
        count = memory.of_generation(device, shape, PROMPT + 128, size, True, 100)
        told.append(f"generate {model}: {count} at a time")
    return "; ".join(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wanda", type=Path, help="a clone of locuslab/wanda, to compare with")
    parser.add_argument("--protocol", action="store_true", help="train as the paper did, too")
    given = parser.parse_args()
    presets = {"paper": overlaid("paper"), "recommended": overlaid("paper", "recommended")}
    with tempfile.TemporaryDirectory() as folder:
        try:
            bench = Bench(Path(folder))
        except InputError as error:
            sys.exit(f"error: {error}")
        print(f"{bench.card}, torch {bench.torch.__version__}")
        bench.starts()
        for model in MODELS:
            for name in ("wanda", "sparsegpt"):
                bench.prune(model, name, given.wanda if model == "opt-125m" else None)
            losses = {}
            for preset, config in presets.items():
                for kind in ("full", "qlora"):
                    losses[preset, kind] = bench.train(model, kind, config[kind], preset)
            if given.protocol and model == "opt-125m":
                slow = presets["paper"]["qlora"] | {"batch_size": 4, "checkpointing": True}
                one, other = (
                    bench.train(model, "qlora", slow, "as published", published=True, seed=seed)
                    for seed in (42, 43)
                )
                fast = losses["paper", "qlora"]
                print(
                    f"  losses fall from {one[0]:.3f} to {one[-1]:.3f}; mean difference of a step:"
                )
                print(f"  two published trainings, seeds 42 and 43: {apart(one, other):.4f}")
                print(f"  ours and either: {apart(one, fast):.4f}, {apart(other, fast):.4f}")
            bench.protocol(model)
            for dtype in ("fp32", "bf16"):
                bench.generate(model, dtype)
        from sparsesum import stand_ins

        stand_ins.roberta(TOKENIZER, Path(folder) / "encoder")
        bench.score(Path(folder) / "encoder")
        print(f"\nThe whole grid on one {bench.card}, minutes:")
        stages = ("prune", "full", "qlora", "generate", "measure", "examples")
        print(f"{'':12}" + "".join(f"{stage:>10}" for stage in (*stages, "all")))
        for preset, config in presets.items():
            spent = plan(bench.found, preset, config)
            cells = [*(spent[stage] for stage in stages), sum(spent.values())]
            print(f"{preset:12}" + "".join(f"{cell / 60:10.1f}" for cell in cells))
        peak = max(figures["peak_gib"] for figures in bench.found.values())
        print(f"Peak memory {peak} GiB. With 16 GiB, paper.yaml: ", end="")
        print(smaller_card(presets["paper"], 16, bench.device))


if __name__ == "__main__":
    main()
