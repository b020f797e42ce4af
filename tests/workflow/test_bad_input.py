"""Bad input: one clear line, an exit code, and nothing made or lost."""

import json

import pytest

from tests.workflow.project import GRID, Project


def refused(project, said: str, *arguments: str) -> None:
    """The run fails, one line of its output says why, and results/ is as before."""
    before = {path: state for path, state in project.files().items() if "/logs/" not in path}
    done = project.snakemake(*arguments)
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if said in line]
    assert lines, done.stdout[-3000:]
    assert "Traceback" not in done.stdout
    after = {path: state for path, state in project.files().items() if "/logs/" not in path}
    assert after == before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("tiny-pre\tqlora\tmagic\t2:4", "grid.tsv, line 8: unknown pruner 'magic'; allowed: none,"),
        ("other\tbase\tnone\tnone", "line 8: unknown model 'other'; allowed: opt-125m-mini, opt-"),
        ("tiny-pre\tlora\tnone\tnone", "line 8: unknown finetuning 'lora'; allowed: base, full"),
        ("tiny-pre\tqlora\twanda\t3:2", "line 8: sparsity '3:2' is no pattern: allowed is a share"),
        ("tiny-pre\tqlora\twanda\t140 %", "line 8: sparsity '140 %' is no pattern"),
        ("tiny-pre\tbase\tnone\tnone", "line 8: the same row as line 2"),
    ],
)
def test_a_fault_in_the_grid(project, row, said):
    project.use(project.models, GRID + row + "\n")
    refused(project, said)


def test_a_typo_in_a_key(project):
    project.use(project.models, qlora={"rnak": 8})
    refused(project, "tiny.yaml: unknown key 'qlora.rnak'; did you mean 'rank'?")


def test_a_value_that_is_not_allowed(project):
    project.use(project.models, qlora={"rank": 0})
    refused(project, "tiny.yaml: key 'qlora.rank': 0 is less than the minimum of 1")


def with_corpus(project, **splits: str) -> None:
    folder = project.folder / "mine"
    folder.mkdir()
    for name, text in splits.items():
        (folder / f"{name}.jsonl").write_text(text)
    project.use(project.models)
    overlay = json.dumps({"corpus": "mine", "corpora": {"mine": {
        "source": "mine", "revision": None, "splits": {
            "train": {"from": "train", "records": 3},
            "validation": {"from": "ca_test", "records": 3},
            "test": {"from": "test", "records": 3}}}}})  # fmt: skip
    (project.folder / "mine.yaml").write_text(overlay)


GOOD = '{"text": "A bill.", "summary": "A summary."}\n'


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ({"train": GOOD, "ca_test": GOOD}, "mine: no split 'test'; allowed is test.jsonl"),
        (
            {"train": GOOD, "ca_test": GOOD, "test": GOOD + '{"summary": "x"}\n'},
            "mine/test.jsonl, line 2: a record without text",
        ),
        (
            {"train": GOOD + "{broken\n", "ca_test": GOOD, "test": GOOD},
            "mine/train.jsonl, line 2: broken JSON",
        ),
    ],
)
def test_a_fault_in_a_corpus(project, splits, said):
    with_corpus(project, **splits)
    asked = [f"results/corpus/mine/{split}.jsonl" for split in ("train", "validation", "test")]
    done = project.snakemake(*asked, "--configfile", "tiny.yaml", "mine.yaml")
    assert done.returncode != 0
    assert said in done.stdout and "Traceback" not in done.stdout
    bad = "train" if "train" in said else "test"
    assert not (project.folder / f"results/corpus/mine/{bad}.jsonl").exists()


LEAVES_TOO_MANY = """
def sparsify(weight, state, pattern):
    return weight.masked_fill(weight < weight.quantile(0.4), 0)
"""


def test_an_option_that_a_pruner_does_not_have(project):
    """Its job would start, which deletes what was there, and fail."""
    project.use(project.models, pruners={"wanda": {"damping": 1}})
    refused(project, "key 'pruners.wanda': unknown option 'damping'; allowed: none", "all")


def test_a_fault_in_a_pruner(project):
    file = project.folder / "workflow/scripts/sparsesum/pruning/pruners/magnitude.py"
    file.write_text("prune = None\n")
    refused(project, "pruners/magnitude.py: a pruner has a function sparsify", "-n", "all")
    file.write_text(LEAVES_TOO_MANY)
    target = "results/prune/bills/tiny-pre/magnitude_50/model.safetensors"
    done = project.snakemake(target)
    assert done.returncode != 0 and not (project.folder / target).exists()
    assert "error: pruner magnitude: model.decoder.layers.0." in done.stdout
    assert "Traceback" not in done.stdout


def test_a_calibration_set_shorter_than_asked_for(project):
    project.use(project.models, calibration={"sequences": 4000, "length": 64})
    said = "asks for 4000 sequences of 64 tokens = 256,000, the train split has"
    done = project.snakemake("results/prune/bills/tiny-pre/wanda_2of4/model.safetensors")
    assert done.returncode != 0
    assert said in done.stdout and "Traceback" not in done.stdout
    # Once more at the end: with other jobs it stands far above.
    assert said in done.stdout.partition("What failed:\n")[2]


def test_a_model_folder_that_is_no_opt(project):
    folder = project.folder / "llama"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    project.use(project.models | {"llama": folder}, GRID + "llama\tbase\tnone\tnone\n")
    refused(project, "config.json: model_type 'llama'; allowed is opt")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"tokens": {"text": 480, "summary": 96}},
            "more than the 512 positions of tiny-pre; allowed for text + summary: 4",
        ),
        (
            {"generate": {"max_new_tokens": 400}},
            "key 'generate.max_new_tokens': 400 after tokens.t",
        ),
        ({"calibration": {"length": 513}}, "key 'calibration.length': 513 is more than the 512"),
    ],
)
def test_texts_beyond_the_models_positions(project, more, said):
    """It was an IndexError of the embedding, after minutes."""
    project.use(project.models, **more)
    refused(project, said, "-n", "all")


def test_an_encoder_with_too_few_layers(opt_folders, tmp_path):
    project = Project(tmp_path)
    folder = tmp_path / "encoder"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "distilbert", "n_layers": 6}')
    (folder / "model.safetensors").write_bytes(b"")
    models = {"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]}
    project.use(models, score={"encoder": "encoder", "sha256": None, "layer": 9})
    refused(project, "encoder (distilbert): has 6 layers, score.layer asks for 9")
