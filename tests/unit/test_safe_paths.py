"""No setting, grid or name of a file on the Hub leads out of results/ or of a source."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from sparsesum.base import hub
from sparsesum.base.errors import InputError
from sparsesum.corpus import download
from sparsesum.experiment import grid
from sparsesum.experiment.settings import validate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
CONFIG = ROOT / "config" / "config.yaml"
NAMES = ["", ".", "..", "../x", "..\\x", "/etc", "a/b", "a\0", "a\n", "a\x1b[31m", "a\u2028", "-x"]
NAMES += [" ", "~", "ü", "x" * 101]
TEXT = {"source": "owner/c4", "revision": None, "file": "en/c4-train.00000-of-01024.json.gz"}


@pytest.fixture
def config() -> dict:
    return copy.deepcopy(yaml.safe_load(CONFIG.read_text()))


def refused(config: dict, key: str) -> None:
    with pytest.raises(InputError) as caught:
        validate(config, SCHEMA, [CONFIG])
    said = str(caught.value)
    where = r"(.*config\.yaml|the configuration|--config)"
    assert re.match(rf"{where}: key '{re.escape(key)}'", said), said
    assert said.isprintable()  # so it is one line


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("section", ["models", "corpora"])
def test_names_of_models_and_corpora(config, section, name):
    config[section][name] = next(iter(config[section].values()))
    refused(config, section)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_models_that_are_pretrained(config, name):
    models = config["pretraining"]["models"]
    models[name] = next(iter(models.values()))
    refused(config, "pretraining.models")


@pytest.mark.parametrize("name", [*NAMES, "*", "tr?in", "[a-z]"])
def test_names_of_a_sources_splits(config, name):
    config["corpora"]["bills"]["splits"]["test"]["from"] = name
    refused(config, "corpora.bills.splits.test.from")


@pytest.mark.parametrize(
    "file", ["", ".", "..", "../x.txt", "a/../../x.txt", "a/..", "/etc/passwd", "a\\x", "a\0.txt"]
    + ["a\n", "en/*.json", "a//b", "./a", "x" * 300]
)  # fmt: skip
def test_the_file_of_calibration_texts(config, file):
    config["calibration"]["text"] = TEXT | {"file": file}
    refused(config, "calibration.text.file")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/../x", "/etc", "a\\x", "a\0", "*", "a//b"]
)
def test_configurations_of_a_source(config, name):
    config["corpora"]["bills"]["configuration"] = name
    refused(config, "corpora.bills.configuration")


@pytest.mark.parametrize("file", [TEXT["file"], "a.txt", "..a.txt", "a..b/c d.jsonl", "ü.txt"])
def test_files_of_calibration_texts_that_are_fine(config, file):
    config["calibration"]["text"] = TEXT | {"file": file}
    validate(config, SCHEMA, [CONFIG])


@pytest.mark.parametrize("path", ["a\0b", "a\nb", "", "x" * 256, "x/" * 600])
@pytest.mark.parametrize(
    "keys",
    ["grid", "models.opt-125m-mini.source", "corpora.bills.source", "score.encoder"],
)
def test_paths_that_no_disk_has(config, keys, path):
    place = config
    for key in keys.split(".")[:-1]:
        place = place[key]
    place[keys.rsplit(".", 1)[-1]] = path
    refused(config, keys)


@pytest.mark.parametrize("revision", ["..", "a/../../b", "/x", "a\0", "a\n", "a b"])
def test_revisions(config, revision):
    config["models"]["opt-125m-mini"]["revision"] = revision
    refused(config, "models.opt-125m-mini.revision")


@pytest.mark.parametrize("name", ["..", "../x", "/etc", "a\0", "a\x1b[2J", "a\u2028b"])
def test_models_of_the_grid(tmp_path, name):
    file = tmp_path / "grid.tsv"
    file.write_text(f"model\tfinetuning\tpruner\tsparsity\n{name}\tbase\tnone\tnone\n")
    with pytest.raises(InputError, match="line 2: unknown model '.*'; allowed: m") as caught:
        grid.read(file, ["m"])
    assert str(caught.value).isprintable()


def test_names_on_the_hub_become_names_of_files():
    assert hub.name("facebook/opt-125m") == "opt-125m"
    for source in ("a/..", "../a", "a/.", "a/b/c", "a/b\n", "a/", "/a", "..", "a/-x"):
        assert not hub.is_hub(source) and not hub.name(source), source
    assert not hub.is_hub(str(ROOT)) and not hub.name("resources/models")


@pytest.mark.parametrize(
    "odd", ["../x.json", "..json", "a\0.json", "a\n.json", "/x.json", "\\..\\x.json", "-.json"]
)
def test_odd_names_of_files_on_the_hub_are_not_asked_for(odd):
    there = [odd, "config.json", "model.safetensors"]
    assert download.choose("model", there) == ["config.json", "model.safetensors"]
    for splits in (["test"], ["../x"]):
        with pytest.raises(InputError, match="no split"):
            download.choose("corpus", ["data/../../test.jsonl", "../x.jsonl", odd], splits)
