"""The plan of a grid on a GPU: rates and counts in, minutes out."""

import ast
from fnmatch import fnmatch

import pytest
import yaml
from snakemake.utils import update_config

from benchmarks.gpu_plan import ROOT, STAGES, minutes, overlaid
from sparsesum.experiment import grid
from sparsesum.experiment.grid import Row

CONFIG = {
    "corpora": {
        "billsum": {
            "splits": {
                "train": {"records": 101},
                "validation": {"records": 20},
                "test": {"records": 30},
            }
        }
    },
    "full": {"effective_batch": 10, "epochs": 3},
    "qlora": {"effective_batch": 25, "epochs": 2},
    "generate": {"dtype": "auto"},
    "measure": {"tokens": 100, "repeats": 4},
}
FOUND = {
    "start of prune": {"seconds": 60.0},
    "start of full": {"seconds": 120.0},
    "start of qlora": {"seconds": 180.0},
    "start of generate": {"seconds": 240.0},
    "start of measure": {"seconds": 300.0},
    "start of examples": {"seconds": 360.0},
    "prune m wanda 2:4": {"seconds": 30.0},
    "full m mine": {"step": 2.0, "before": 12.0},
    "qlora m mine": {"step": 6.0, "before": 0.0},
    "generate m bf16": {"a_bill": 0.6, "batch": 50, "ms_a_token": 120.0},
    "generate m fp32": {"a_bill": 1.2, "batch": 100, "ms_a_token": 240.0},
    "transformers' generate m int8, batch 1": {"a_bill": 128 * 0.3},
    "examples": {"seconds": 180.0},
}
BASE = Row("m", "base", "none", "none")
EACH = {"generate": 4 + 1.0, "measure": 5 + 1.0, "examples": 3.0}
"""Minutes of any row: 50 bills and 50 to warm up; 5 times 100 tokens; a third of 6 + 3."""


def told(*rows: Row, **more) -> dict[str, float]:
    spent = minutes(rows, FOUND, "mine", CONFIG | more)
    assert tuple(spent) == STAGES
    return {stage: time for stage, time in spent.items() if time}


def test_a_row_without_training():
    assert told(BASE) == pytest.approx(EACH)
    assert told(BASE, BASE) == pytest.approx({stage: 2 * time for stage, time in EACH.items()})


def test_the_last_batch_of_an_epoch_counts_as_whole():
    # 11 steps an epoch, three epochs, 2 s a step.
    full = told(Row("m", "full", "none", "none"))
    assert full == pytest.approx(EACH | {"full": 2 + (12 + 33 * 2) / 60})


def test_transformers_and_int8_are_measured_without_pruning_alone():
    qlora, pruned = Row("m", "qlora", "none", "none"), Row("m", "qlora", "wanda", "2:4")
    # 5 steps an epoch, two epochs, 6 s a step.
    trained = EACH | {"qlora": 3 + 1.0}
    # A start more, and twice 500 tokens of 0.3 s.
    assert told(qlora) == pytest.approx(trained | {"measure": 6 + 3 + 5.0})
    assert told(pruned) == pytest.approx(trained | {"prune": 1.5 / 3})


def test_a_checkpoint_is_pruned_once_and_magnitude_has_no_rate():
    rows = [Row("m", kind, "wanda", "2:4") for kind in ("base", "full", "qlora")]
    assert told(*rows)["prune"] == pytest.approx(1.5 / 3)
    other = Row("m", "base", "wanda", "4:8")
    assert told(*rows, other)["prune"] == pytest.approx(2 * 1.5 / 3)
    magnitude = Row("m", "base", "magnitude", "2:4")
    assert told(magnitude)["prune"] == pytest.approx(61 / 60 / 3)


def test_generation_is_in_the_dtype_of_the_configuration():
    # Twice the seconds a bill, and 100 to warm up.
    fp32 = told(BASE, generate={"dtype": "fp32"})
    assert fp32 == pytest.approx(EACH | {"generate": 4 + 3.0, "measure": 5 + 2.0})
    assert told(BASE, generate={"dtype": "bf16"}) == told(BASE)


def test_a_rate_that_is_missing_is_an_error():
    with pytest.raises(KeyError, match="full m other"):
        minutes([Row("m", "full", "none", "none")], FOUND, "other", CONFIG)


@pytest.mark.parametrize("names", [("paper",), ("paper", "recommended")])
def test_configurations_are_overlaid_as_snakemake_does(names):
    expected: dict = {}
    for name in ("config", *names):
        update_config(expected, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    assert overlaid(*names) == expected


def published_rates() -> dict[str, dict]:
    """Those of docs/gpu.md; what is not there is marked."""
    tokens = {  # a second
        "full opt-125m": (48_800, 229_000),
        "full opt-350m": (17_700, 106_000),
        "qlora opt-125m": (93_100, 574_000),
        "qlora opt-350m": (40_300, 226_000),
    }
    found = {
        f"{name} {preset}": {"step": 16 * 1181 / rate, "before": 5.0}  # before: assumed
        for name, rates in tokens.items()
        for preset, rate in zip(("paper", "recommended"), rates, strict=True)
    }
    generation = {"opt-125m": (0.018, 0.005, 1.4, 1.5), "opt-350m": (0.048, 0.011, 2.8, 2.7)}
    for model, (fp32, bf16, slow, fast) in generation.items():
        for dtype, bill, token in (("fp32", fp32, slow), ("bf16", bf16, fast)):
            found[f"generate {model} {dtype}"] = {
                "a_bill": bill,
                "batch": 100,
                "ms_a_token": token,
            }
        found[f"transformers' generate {model} int8, batch 1"] = {"a_bill": 5.8}  # 350m: assumed
    prunings = {"opt-125m": (3.0, 5.7), "opt-350m": (10.0, 20.0)}
    for model, seconds in prunings.items():
        for name, spent in zip(("wanda", "sparsegpt"), seconds, strict=True):
            found[f"prune {model} {name} 2:4"] = {"seconds": spent}
    starts = ("prune", "full", "qlora", "generate", "measure", "examples")
    found |= {f"start of {rule}": {"seconds": 12.5} for rule in starts}
    return found | {"examples": {"seconds": 10.0}}


@pytest.mark.parametrize(
    ("overlays", "whole", "training"),
    [(("paper",), 85, 75), (("paper", "recommended"), 25, 16)],
)
def test_the_plan_that_the_documentation_tells(overlays, whole, training):
    config = overlaid(*overlays)
    rows = grid.read(ROOT / config["grid"], list(config["models"]))
    spent = minutes(rows, published_rates(), overlays[-1], config)
    text = (ROOT / "docs" / "gpu.md").read_text().replace("\n", " ")
    assert f"{overlays[-1]}.yaml {whole} minutes (training {training}" in text
    assert sum(spent.values()) == pytest.approx(whole, abs=2)
    assert spent["full"] + spent["qlora"] == pytest.approx(training, abs=1)


def templates(file: str) -> dict[str, set[str]]:
    """Strings of a benchmark's module, each placeholder a "*": those noted, those looked up."""

    def text(node: ast.expr) -> str:
        if isinstance(node, ast.JoinedStr):
            return "".join(part.value if isinstance(part, ast.Constant) else "*"
                           for part in node.values)  # fmt: skip
        return str(node.value) if isinstance(node, ast.Constant) else "?"

    found: dict[str, set[str]] = {"noted": set(), "figures": set(), "asked": set(), "read": set()}
    for node in ast.walk(ast.parse((ROOT / "benchmarks" / file).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "note":
                found["noted"].add(text(node.args[0]))
                found["figures"] |= {keyword.arg for keyword in node.keywords if keyword.arg}
            if ast.unparse(node.func) == "found.get":
                found["asked"].add(text(node.args[0]))
        if isinstance(node, ast.Subscript):
            if ast.unparse(node.value) == "found":
                found["asked"].add(text(node.slice))
            elif ast.unparse(node.value).startswith(("rate", "found[")):
                found["read"].add(text(node.slice))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "figures":
            found["figures"] |= {text(key) for key in node.value.keys}
    return found


def test_what_the_plan_looks_up_is_what_the_stages_note():
    """A misspelt name would show at the end of five minutes on a GPU."""
    stages, plan = templates("gpu_stages.py"), templates("gpu_plan.py")
    assert len(plan["asked"]) == 6 and plan["read"] > {"seconds", "step", "a_bill"}
    for asked in plan["asked"]:
        # A training's name begins with its kind, and others' with a word.
        alike = {noted for noted in stages["noted"] if noted.split()[0] == asked.split()[0]}
        assert any(fnmatch(asked.replace("*", "x"), noted) for noted in alike), asked
    assert plan["read"] <= stages["figures"]
