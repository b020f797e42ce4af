"""Small OPT checkpoints of both shapes, and a project whose tiny grid has been made."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.workflow.project import Project

SCRIPTS = Path(__file__).resolve().parents[1] / "workflow" / "scripts"
# For the processes that tests start; pytest's own path is set in pyproject.toml.
ELSEWHERE = os.environ.get("PYTHONPATH", "")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SCRIPTS), ELSEWHERE]))
# Threads that wait for each other do so asleep: beside other work, busy waiting takes many times
# as long. It changes no sum.
os.environ["OMP_WAIT_POLICY"] = "passive"
# Snakemake's SLURM plugin asks the controller at each start, and waits ten seconds for one that is
# installed and not running. tests/slurm has one.
os.environ["SLURM_CONF"] = "/dev/null"
# What a test starts does not know what started the tests: a `make` in a `make` says which folder
# it enters, and a user's profile is another than the project's.
for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SNAKEMAKE_PROFILE"):
    os.environ.pop(name, None)
# A shell's background jobs ignore Ctrl-C, and so would what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A long test says why it is long, and in one line."""
    for item in items:
        for mark in item.iter_markers("long"):
            if mark.kwargs or [type(why) for why in mark.args] != [str] or not mark.args[0].strip():
                raise pytest.UsageError(f'{item.nodeid}: say why it is long: mark.long("why")')


SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Material beside the project, where there is any: real bills, OPT's real tokenizer."""

SHAPES = {
    "pre": {"word_embed_proj_dim": 32, "do_layer_norm_before": True},
    "post": {"word_embed_proj_dim": 16, "do_layer_norm_before": False},
}


@pytest.fixture(scope="session")
def tokenizer():
    """A small byte-level BPE tokenizer of OPT's kind."""
    from sparsesum.models.pretraining import train_tokenizer

    return train_tokenizer(vocabulary=512, seed=0, documents=100)


@pytest.fixture(scope="session")
def tokens(tokenizer, tmp_path_factory) -> Path:
    """Sixteen bills to train on, as rule `tokens` writes them."""
    import pandas

    from sparsesum.corpus.bills import bills
    from sparsesum.corpus.tokens import tokenise

    records = [{"id": str(i), **bill.record()} for i, bill in enumerate(bills("us", 16, 1))]
    path = tmp_path_factory.mktemp("tokens") / "train.parquet"
    pandas.DataFrame(tokenise(tokenizer, records, 60, 30)).to_parquet(path)
    return path


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], None]], Path]:
    """A function that gives the folder of a name, filled once for all of pytest's processes."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def once(name: str, fill: Callable[[Path], None]) -> Path:
        with FileLock(root / f"{name}.lock"):
            if not (root / name).exists():
                draft = root / f"{name}.draft"
                shutil.rmtree(draft, ignore_errors=True)
                draft.mkdir()
                fill(draft)
                draft.rename(root / name)
        return root / name

    return once


@pytest.fixture(scope="session")
def opt_folders(once, tokenizer) -> dict[str, Path]:
    """A source folder in the Hub's format for each shape: random weights, none of them zero."""
    folder = once("opt", lambda draft: save_models(draft, tokenizer))
    return {name: folder / f"tiny-{name}" for name in SHAPES}


def save_models(folder: Path, tokenizer) -> None:
    """A model of each shape, below `folder`."""
    import torch
    from transformers import OPTConfig, OPTForCausalLM

    for name, shape in SHAPES.items():
        torch.manual_seed(1)
        config = OPTConfig(
            vocab_size=512,
            hidden_size=32,
            num_hidden_layers=2,
            ffn_dim=64,
            num_attention_heads=2,
            max_position_embeddings=512,
            bos_token_id=2,
            eos_token_id=2,
            init_std=0.1,
            **shape,
        )
        model = OPTForCausalLM(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_((parameter == 0) * 0.01)
        model.save_pretrained(folder / f"tiny-{name}")
        tokenizer.save(str(folder / f"tiny-{name}" / "tokenizer.json"))


@pytest.fixture(scope="session")
def pruned(opt_folders, tmp_path_factory) -> dict[str, Path]:
    """Checkpoints of both shapes, pruned 2:4 by magnitude."""
    from sparsesum.experiment import patterns
    from sparsesum.pruning import layerwise
    from sparsesum.pruning.pruners import magnitude

    folders = {}
    for shape, source in opt_folders.items():
        folders[shape] = tmp_path_factory.mktemp("pruned") / shape
        layerwise.prune(source, folders[shape], None, magnitude, patterns.parse("2:4"), {})
    return folders


@pytest.fixture(scope="session")
def shared() -> Path:
    """The material beside the project; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside the project")
    return SHARED


@pytest.fixture(scope="session")
def finished(once, opt_folders) -> Project:
    """The tiny grid after a complete run; to read, for all tests share it."""
    return whole(once, "finished", opt_folders, lambda project: project.snakemake())


@pytest.fixture(scope="session")
def again(once, opt_folders) -> Project:
    """The same a second time by true commands: one core, row by row from the last to the first."""

    def run(project: Project) -> subprocess.CompletedProcess:
        from sparsesum.experiment import grid

        for row in reversed(grid.read(project.folder / "grid.tsv", list(project.models))):
            score = f"results/score/bills/{row.model}/{row.checkpoint}/{row.finetuning}.json"
            done = project.command("--cores", "1", score)
            assert done.returncode == 0, done.stdout[-5000:]
        return project.command("--cores", "1", "all")

    return whole(once, "again", opt_folders, run)


def whole(
    once, name: str, folders: dict[str, Path], run: Callable[[Project], subprocess.CompletedProcess]
) -> Project:
    """The tiny grid as a function runs it, the last command's output with it."""
    models = {"tiny-pre": folders["pre"], "tiny-post": folders["post"]}

    def make(folder: Path) -> None:
        (folder / "p").mkdir()
        project = Project(folder / "p")
        project.use(models)
        project.models = models
        done = run(project)
        assert done.returncode == 0, done.stdout[-5000:]
        (folder / "output.txt").write_text(done.stdout)

    folder = once(name, make)
    project = Project.of(folder / "p", models)
    project.output = (folder / "output.txt").read_text()
    return project


@pytest.fixture
def project(finished, tmp_path: Path) -> Project:
    """A copy of the finished project, to change; times of change are kept."""
    shutil.copytree(finished.folder, tmp_path / "p")
    return Project.of(tmp_path / "p", finished.models)
