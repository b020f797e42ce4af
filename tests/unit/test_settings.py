"""The configuration against its schema."""

import copy
from functools import partial
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from sparsesum.base.errors import InputError
from sparsesum.experiment import settings
from sparsesum.experiment.settings import put_in_order

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
CONFIG = ROOT / "config" / "config.yaml"
validate = partial(settings.validate, methods=["full", "qlora"], pruners=["sparsegpt", "wanda"])


@pytest.fixture
def config() -> dict:
    return copy.deepcopy(yaml.safe_load(CONFIG.read_text()))


def test_the_shipped_configuration_is_sound(config):
    validate(config, SCHEMA, [CONFIG])


@pytest.mark.parametrize(
    "overlays",
    [["paper"]]
    + [["paper", name] for name in ("published", "recommended", "rehearse", "cnn_dailymail")],
)
def test_the_shipped_overlays_are_sound(config, overlays):
    files = [CONFIG.with_name(f"{name}.yaml") for name in overlays]
    for file in files:
        overlay = yaml.safe_load(file.read_text())
        assert set(overlay) <= set(config)  # what is new to the configuration has no effect
        update_config(config, overlay)
    validate(config, SCHEMA, [CONFIG, *files])
    assert config["preset"] == {"rehearse": "rehearsal"}.get(overlays[-1], overlays[-1])


def test_the_overlay_of_seeds_keeps_the_first(config):
    (first,) = config["seeds"]
    file = CONFIG.with_name("seeds.yaml")
    update_config(config, yaml.safe_load(file.read_text()))
    validate(config, SCHEMA, [CONFIG, file])
    assert config["seeds"][0] == first and len(config["seeds"]) == 3


def test_schema_and_configuration_have_the_same_keys(config):
    schema = yaml.safe_load(SCHEMA.read_text())

    def same(value: dict, rules: dict, where: str) -> None:
        properties = rules.get("properties", {})
        assert set(value) == set(properties), where
        for key, inner in value.items():
            if isinstance(inner, dict) and "properties" in properties[key]:
                same(inner, properties[key], f"{where}.{key}")

    same(config, schema, "config")


def test_every_key_of_the_schema_says_what_it_means():
    schema = yaml.safe_load(SCHEMA.read_text())

    def described(rules: dict, where: str) -> None:
        for key, inner in rules.get("properties", {}).items():
            if "$ref" in inner:
                inner = schema["$defs"][inner["$ref"].rsplit("/", 1)[1]]
            assert inner.get("type") == "object" or inner.get("description"), f"{where}.{key}"
            described(inner, f"{where}.{key}")

    described(schema, "config")


def fault(config: dict, files=()) -> str:
    with pytest.raises(InputError) as caught:
        validate(config, SCHEMA, files)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_misspelt_key_is_named_with_the_file_it_stands_in(config, tmp_path: Path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("qlora: {rnak: 8}\n")
    config["qlora"]["rnak"] = 8
    said = fault(config, [CONFIG, overlay])
    assert "overlay.yaml: unknown key 'qlora.rnak'; did you mean 'rank'? allowed: " in said


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (["qlora", "rank"], 0, "key 'qlora.rank': 0 is less than the minimum of 1"),
        (["qlora", "rank"], "16", "key 'qlora.rank': '16' is not of type integer"),
        (["generate", "engine"], "fast", "'fast' is not allowed; allowed: dense, int8"),
        (["device"], "gpu", "'gpu' is not allowed; allowed: auto, cpu, cuda"),
        (["corpus"], "bils", "unknown corpus 'bils'; allowed are the keys of corpora: bills"),
        (["qlora", "target_modules"], ["dense"], "'dense' is not allowed"),
        (["corpora", "../x"], {}, "'../x' is not allowed (a part of a path"),
        (["heldout", "length"], 1, "key 'heldout.length': 1 is less than the minimum of 2"),
        # What YAML makes of a bare 2:4.
        (["pruning_grid", "sparsities"], [124], "124 is not of type string (a pattern in quotes:"),
        (["seeds"], [], "key 'seeds': [] should be non-empty (of fine-tuning"),
        (["seeds"], [42, 42], "key 'seeds': [42, 42] has non-unique elements (of fine-tuning"),
        (["seeds"], 42, "key 'seeds': 42 is not of type array (of fine-tuning"),
        (["seeds"], [42, -1], "key 'seeds.1': -1 is less than the minimum of 0"),
        (
            ["seeds"],
            [42, 2**32],
            "key 'seeds.1': 4294967296 is greater than the maximum",
        ),
        (["seeds"], [42, 43.0], "key 'seeds.1': 43.0 is not of type integer"),
        (["seeds"], ["42"], "key 'seeds.0': '42' is not of type integer"),
        (["seeds"], [True], "key 'seeds.0': True is not of type integer"),
        (["qlora", "seed"], 42, "unknown key 'qlora.seed'; allowed: alpha,"),
        (
            ["corpora", "bills", "columns", "text"],
            "",
            "key 'corpora.bills.columns.text': '' should",
        ),
        (["corpora", "bills", "columns", "body"], "x", "unknown key 'corpora.bills.columns.body'"),
        (
            ["corpora", "bills", "incomplete"],
            "drop",
            "'drop' is not allowed; allowed: refuse, skip",
        ),
        (["corpora", "bills", "configuration"], 3.0, "3.0 is not of type ['string', 'null'] (the"),
        (["comparisons", "metrics"], [], "key 'comparisons.metrics': [] should be non-empty"),
        (["pruning_grid", "pruners"], [], "key 'pruning_grid.pruners': [] should be non-empty"),
        (["pruners", "wnada"], {}, "unknown key 'pruners.wnada'; did you mean 'wanda'? allowed:"),
        (
            ["corpora", "bills", "splits", "test", "from"],
            "train",
            "key 'corpora.bills.splits.test.from': 'train' is split train's too, so that both",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(config, keys, value, said):
    place = config
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    assert said in fault(config)


def test_a_missing_key_is_named(config):
    del config["calibration"]["seed"]
    assert "key 'calibration': 'seed' is a required property" in fault(config)


def test_the_file_is_named_where_an_item_of_a_list_is_wrong(config, tmp_path: Path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("seeds: [42, -1]\n")
    config["seeds"] = [42, -1]
    assert "overlay.yaml: key 'seeds.1': -1 is less" in fault(config, [CONFIG, overlay])


TEXT = ": it is a text; a number is written "


def faults_of(config, overlay: str, tmp_path: Path) -> str:
    """What is said of an overlay, given as YAML, on top of the configuration."""
    file = tmp_path / "mine.yaml"
    file.write_text(overlay)
    update_config(config, yaml.safe_load(overlay))
    with pytest.raises(InputError) as told:
        validate(config, SCHEMA, [CONFIG, file])
    return str(told.value)


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (
            "qlora: {rank: 8}\nfull: {epochs: 1}\nqlora: {alpha: 8}\n",
            "line 3: key 'qlora' stands there twice (line 1); YAML takes the last alone",
        ),
        ("full:\n  epochs: 3\n  epochs: 1\n", "line 3: key 'full.epochs' stands there twice"),
        ('{"full": {"epochs": 3, "epochs": 1}}', "line 1: key 'full.epochs' stands there twice"),
        ("corpora: {c: {splits: {a: 1, a: 1}}}", "line 1: key 'corpora.c.splits.a' stands"),
    ],
)
def test_a_key_that_stands_twice_is_refused(config, tmp_path: Path, overlay, said):
    """YAML would take the last and say nothing: settings of the first would be lost."""
    told = faults_of(config, overlay, tmp_path)
    assert "mine.yaml, " in told and said in told


def test_the_same_key_in_two_places_and_merges_are_fine(config, tmp_path: Path):
    overlay = "full: &one {epochs: 1}\nqlora: {<<: *one, <<: *one, rank: 8}\n"
    (tmp_path / "mine.yaml").write_text(overlay)
    update_config(config, yaml.safe_load(overlay))
    validate(config, SCHEMA, [CONFIG, tmp_path / "mine.yaml"])
    assert config["qlora"]["epochs"] == config["full"]["epochs"] == 1


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ("full: {learning_rate: 1e-3}", "'1e-3' is not of type number" + TEXT + "0.001"),
        ("full: {learning_rate: 3e-7}", "'3e-7' is not of type number" + TEXT + "3.0e-07"),
        ("qlora: {rank: '8'}", "key 'qlora.rank': '8' is not of type integer" + TEXT + "8"),
        ("qlora: {rank: 1e1}", "'1e1' is not of type integer" + TEXT + "10"),
        ("qlora: {rank: many}", "key 'qlora.rank': 'many' is not of type integer (of"),
        ("save_every: nan", "key 'save_every': 'nan' is not of type number (seconds"),
    ],
)
def test_a_number_that_is_a_text_to_yaml(config, tmp_path: Path, overlay, said):
    told = faults_of(config, overlay, tmp_path)
    assert "mine.yaml: key" in told and said in told
    if TEXT in said:  # what is said is what YAML takes
        number = told.partition(TEXT)[2].split()[0]
        assert not isinstance(yaml.safe_load(number), str)


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (["seeds"], ["1", "2"], "key 'seeds.0': '1' is not of type integer: it is a text, as in"),
        (["qlora", "rank"], "8", "key 'qlora.rank': '8' is not of type integer: it is a text, as"),
        (["corpus"], "other", "key 'corpus': unknown corpus 'other'"),
        (["qlora", "rnak"], 8, "unknown key 'qlora.rnak'; did you mean 'rank'?"),
        (["full", "batch_size"], 3, "key 'full.batch_size': 3 is no divisor"),
        (["save_every"], float("nan"), "key 'save_every': no number"),
    ],
)
def test_what_no_file_says_came_with_the_command(config, keys, value, said):
    """What is set by --config stands in no file, and in a list or an object of it all is text."""
    place = config
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    told = fault(config, [CONFIG])
    assert told.startswith(f"--config: {said}")
    if "it is a text" in said:
        assert "in a file of --configfile" in told


def test_a_section_that_was_left_empty_is_named_with_its_file(config, tmp_path: Path):
    told = faults_of(config, "full:\n", tmp_path)
    assert "mine.yaml: key 'full': None is not of type object" in told


def test_a_section_looks_the_same_in_whatever_order_its_keys_stand():
    """Snakemake compares params as they look, and would train again."""
    one = {"b": {"y": [{"q": 1, "p": 2}], "x": 1}, "a": [3, 1]}
    other = {"a": [3, 1], "b": {"x": 1, "y": [{"p": 2, "q": 1}]}}
    assert repr(one) != repr(other)
    for config in (one, other):
        put_in_order(config)
    assert repr(one) == repr(other) == "{'a': [3, 1], 'b': {'x': 1, 'y': [{'p': 2, 'q': 1}]}}"
