"""A copy of the project with a tiny grid: what the workflow tests run, edit and break."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import yaml

from tests.workflow.forked import Server

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("full", "qlora", "sparse_qlora")
PARTS = ["Snakefile", "workflow", "config", "profiles", "envs", "resources"]
GRID = """\
model\tfinetuning\tpruner\tsparsity
tiny-pre\tbase\tnone\tnone
tiny-pre\tfull\tnone\tnone
tiny-pre\tqlora\twanda\t2:4
tiny-pre\tqlora\tmagnitude\t50%
tiny-post\tqlora\tsparsegpt\t4:8
tiny-post\tfull\twanda\t50%
"""
COSTS = """
    inference_seconds ms_per_token_dense ms_per_token_int8 peak_memory_mb training_seconds
    training_peak_memory_mb
""".split()
"""The columns of the table that no second run has the same."""


def is_provenance(path: str) -> bool:
    """Whether a file of results/ is a record, or the page of all records."""
    return path.endswith(("provenance.json", "provenance.md", "provenance.html"))


def rule_of(process: psutil.Process) -> str | None:
    """The rule whose script a process runs; None if it runs none, or has just ended."""
    with suppress(psutil.Error, OSError):
        command = process.cmdline()
        # Not the shell that starts it, which has it all in one word.
        if len(command) != 2:
            return None
        script = re.search(r"\.snakemake/scripts/\w+\.(\w+)\.py$", command[1])
        if script and script[1] == "finetune":  # one script, and a rule a method
            outputs = Path(command[1]).read_text(errors="replace")
            return next(name for name in METHODS if f"results/{name}/" in outputs)
        return script and script[1]
    return None


SNAKEMAKE = Server()


class Project:
    """A working directory with a Snakefile; `snakemake` runs in it as a user would run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / part)

    @classmethod
    def of(cls, folder: Path, models: dict[str, Path]) -> "Project":
        """The project that is in a folder already, with these models."""
        project = object.__new__(cls)
        project.folder, project.models = folder, models
        return project

    def use(self, models: dict[str, Path], grid: str = GRID, **more) -> None:
        """Set an overlay: these models, this grid, few records, a short training."""
        (self.folder / "grid.tsv").write_text(grid)
        training = {"epochs": 1, "effective_batch": 4, "batch_size": 4, "log_every": 1}
        training["warmup_steps"] = 1
        adapters = {"rank": 4, "target_modules": ["q_proj", "k_proj", "v_proj"]}
        overlay = {
            "preset": "tiny",
            "device": "cpu",  # the same on a machine that has a GPU
            "note": "A test's models: random weights.",
            "grid": "grid.tsv",
            "models": {
                name: {"source": str(source), "revision": None} for name, source in models.items()
            },
            "corpora": {
                "bills": {
                    "splits": {
                        "train": {"from": "train", "records": 12},
                        "validation": {"from": "ca_test", "records": 4},
                        "test": {"from": "test", "records": 5},
                    }
                }
            },
            "calibration": {"sequences": 4, "length": 64},
            "heldout": {"sequences": 4, "length": 64},
            "full": training,
            "qlora": training | adapters,
            "sparse_qlora": training | adapters,
            "generate": {"batch_size": 4, "max_new_tokens": 12},
            "measure": {"tokens": 4, "repeats": 1},
            "pretraining": {
                "batch_size": 2,
                "models": {
                    "tiny-post": {
                        "training": {"steps": 2, "learning_rate": 0.001, "warmup": 0.5},
                        "shape": {
                            "hidden_size": 32,
                            "ffn_dim": 64,
                            "num_hidden_layers": 1,
                            "num_attention_heads": 2,
                            "max_position_embeddings": 512,
                            "word_embed_proj_dim": 16,
                            "do_layer_norm_before": False,
                        },
                    }
                },
            },
            # Two for training, as in the default: float sums must not look at --cores.
            "threads": dict.fromkeys(("pretrain", "prune", "generate", "score", "measure"), 1)
            | {"finetune": 2},
        }
        for key, value in more.items():
            overlay[key] = overlay.get(key, {}) | value if isinstance(value, dict) else value
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(overlay))

    def environment(self) -> dict[str, str]:
        """The tests' environment, with the copy's own modules and not this project's."""
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        own = str(ROOT / "workflow" / "scripts")
        return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in paths if p and p != own)}

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run snakemake; its output is in `stdout`, both streams together."""
        return SNAKEMAKE.run(self.options(*arguments), self.folder, self.environment())

    def options(self, *arguments: str) -> list[str]:
        """What stands in a command after `snakemake`."""
        fixed = ("--cores", "2", "--configfile", "tiny.yaml", "--nocolor")
        return [*fixed, *(arguments or ("all",))]

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start snakemake, as `snakemake` does, and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *self.options(*arguments)],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run the true command, from its start, where `snakemake` takes a fork."""
        with self.start(*arguments) as running:
            stdout = running.communicate()[0]
        return subprocess.CompletedProcess(running.args, running.returncode, stdout)

    def planned(self, *targets: str) -> set[str]:
        """The outputs that a run would make, of all targets if none is named.

        As Snakemake's own summary has them; records of provenance, one a job, and their page left
        out.
        """
        done = self.snakemake(*(targets or ("all",)), "--summary")
        assert done.returncode == 0, done.stdout
        rows = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") > 4]
        assert rows[0][0] == "output_file" and rows[0][-1] == "plan", done.stdout
        assert len(rows) > 20
        made = {row[0] for row in rows[1:] if row[-1] != "no update"}
        return {path for path in made if not is_provenance(path)}

    def forget(self, *paths: str) -> None:
        """Delete artifacts, below results/, and all that was made from them."""
        todo = {f"results/{path}" for path in paths}
        while todo:
            for path in todo:
                (self.folder / path).unlink()
            todo = set()
            for record in (self.folder / "results").rglob("*provenance.json"):
                made = json.loads(record.read_text())
                if any(not (self.folder / path).exists() for path in made.get("inputs", ())):
                    todo |= {path for path in made["outputs"] if (self.folder / path).exists()}

    def scores(self) -> list[dict[str, str]]:
        """The table's rows, without what was measured with a clock."""
        with (self.folder / "results" / "table3.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [{key: row[key] for key in row if key not in COSTS} for row in rows]

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file below results/ with its size and time of change."""
        return {
            str(path.relative_to(self.folder)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted((self.folder / "results").rglob("*"))
            if path.is_file()
        }
