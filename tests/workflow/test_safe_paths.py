"""Targets and settings that would lead out of results/ plan no job, and are refused in one line."""

import pytest
import yaml

from tests.workflow.project import Project


@pytest.fixture(scope="module")
def fresh(opt_folders, tmp_path_factory) -> Project:
    """A project in which nothing was made."""
    fresh = Project(tmp_path_factory.mktemp("fresh"))
    fresh.models = {"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]}
    return fresh


@pytest.mark.parametrize(
    "target",
    [
        "results/dense/../../x/model.safetensors",
        "results/dense/../model.safetensors",
        "results/dense/..",
        "results/prune/bills/tiny-pre/../model.safetensors",
        "results/prune/../tiny-pre/wanda_2of4/model.safetensors",
        "results/prune/bills/tiny-pre/dense/model.safetensors",
        "results/prune/bills/tiny-pre/magic_2of4/model.safetensors",
        # A seed of none of `seeds`, and one of what has no seed.
        "results/qlora/bills/tiny-pre/dense@43/costs.json",
        "results/qlora/bills/tiny-pre/dense@../costs.json",
        "results/prune/bills/tiny-pre/wanda_2of4@43/model.safetensors",
        "results/pretrain/../model.safetensors",
        "results/fetch/model/...json",
        "results/generate/bills/tiny-pre/dense/../test.jsonl",
        "results/corpus/other/test.jsonl",
    ],
)
def test_targets(fresh, target):
    fresh.use(fresh.models)
    done = fresh.snakemake("-n", target)
    assert done.returncode != 0
    assert "MissingRuleException" in done.stdout or "No rule to produce" in done.stdout
    assert "Traceback" not in done.stdout and "KeyError" not in done.stdout
    assert "\nrule " not in done.stdout and not (fresh.folder / "results").exists()


TEXT = {"source": "resources/bills", "revision": None, "file": "../../config/config.yaml"}


@pytest.mark.parametrize(
    ("more", "said"),
    # Each replaces what the overlay said of this key.
    [
        (
            {"models": {"../x": {"source": "m", "revision": None}}},
            "key 'models': '../x' is not all",
        ),
        ({"models": {"a\n": {"source": "m", "revision": None}}}, r"key 'models': 'a\n' is not all"),
        (
            {"calibration": {"text": TEXT}},
            "key 'calibration.text.file': '../../config/config.yaml'",
        ),
        ({"score": {"encoder": "a\0b"}}, r"key 'score.encoder': 'a\x00b' is not allowed"),
        ({"grid": "x" * 300 + ".tsv"}, "key 'grid': 'xxx"),
        ({"grid": "my{grid}.tsv"}, "key 'grid': 'my{grid}.tsv' is not allowed"),
    ],
)
def test_settings(fresh, more, said):
    fresh.use(fresh.models)
    overlay = fresh.folder / "tiny.yaml"
    overlay.write_text(yaml.safe_dump(yaml.safe_load(overlay.read_text()) | more))
    done = fresh.snakemake("-n")
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert [line for line in done.stdout.splitlines() if "tiny.yaml: " + said in line], done.stdout
    assert not (fresh.folder / "results").exists()
