"""The audit of the published table, against the figures that paper and arithmetic give by hand."""

from pathlib import Path

import pytest
import yaml

from sparsesum.base import files
from sparsesum.evidence import audit, audit_counts
from sparsesum.experiment import published_table
from sparsesum.experiment.grid import Row, read
from sparsesum.models import shapes

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "resources" / "paper"
MODELS = ["opt-125m", "opt-350m"]


@pytest.fixture(scope="module")
def counts() -> dict[str, shapes.Counts]:
    protocol = files.read_json(PAPER / "protocol.json")
    paths = [PAPER / f"{name}.json" for name in MODELS]
    return shapes.of_files(paths, protocol["rank"], protocol["target_modules"])


@pytest.fixture(scope="module")
def lines() -> dict:
    return {
        published_table.row_of(line): line for line in published_table.read(PAPER / "table3.csv")
    }


@pytest.fixture(scope="module")
def records(lines, counts) -> dict:
    return {
        (r["model"], r["finetuning"], r["pruner"], r["sparsity"], r["column"]): r
        for r in audit.audit_counts(lines, counts)
    }


def test_the_two_shapes(counts):
    assert counts["opt-125m"].parameters == 125_239_296
    assert counts["opt-350m"].parameters == 331_196_416
    assert counts["opt-125m"].prunable == 84_934_656
    assert counts["opt-350m"].prunable == 301_989_888
    assert counts["opt-125m"].adapter == 884_736
    assert counts["opt-350m"].adapter == 2_359_296


def test_an_adapter_on_fc1_and_fc2_as_the_text_has_it():
    config = files.read_json(PAPER / "opt-125m.json")
    whole = shapes.counts(config, 16, ["q_proj", "k_proj", "v_proj", "fc1", "fc2"])
    assert whole.adapter == 884_736 + 12 * 2 * 16 * (768 + 3072)


def test_an_int8_checkpoint_has_as_many_bytes_as_its_shape_says(opt_folders, tmp_path):
    import torch

    from sparsesum.models import checkpoints, quantisation

    for name, folder in opt_folders.items():
        checkpoints.save(quantisation.load(folder, torch.device("cpu")), tmp_path / name)
        state = checkpoints.state(tmp_path / name)
        saved = sum(tensor.nbytes for tensor in state.values())
        shape = shapes.counts(files.read_json(folder / "config.json"), 4, ["fc1"])
        assert shape.int8_bytes == saved


@pytest.mark.parametrize(
    ("model", "base", "qlora", "pruned", "true"),
    [
        ("opt-125m", 125_239_296, 126_124_032, 63_504_384, 83_656_704),
        ("opt-350m", 331_196_416, 333_555_712, 167_957_504, 182_560_768),
    ],
)
def test_counts_published_and_correct(records, model, base, qlora, pruned, true):
    for finetuning, count in (("base", base), ("full", base), ("qlora", qlora)):
        record = records[model, finetuning, "none", "none", "nonzero_parameters"]
        assert record["published"] == record["correct"] == count
        assert record["verdict"] == "reproduced" and record["derived"] is None
    for pruner in ("wanda", "magnitude", "sparsegpt"):
        record = records[model, "qlora", pruner, "2:4", "nonzero_parameters"]
        assert record["published"] == record["derived"] == pruned
        assert record["correct"] == true and record["difference"] == true - pruned
        assert record["verdict"] == "explained"
        assert record["evaluated"] == qlora


def test_published_sizes_are_made_again_to_within_half_a_mebibyte(records):
    sizes = [record for key, record in records.items() if key[-1] == "size_mb"]
    assert len(sizes) == 14
    for record in sizes:
        assert record["verdict"] == "explained"
        assert abs(record["derived"] - record["published"]) <= 0.5
        assert record["correct"] < 0.51 * record["published"]


def test_a_count_that_no_mistake_explains_differs(lines, counts):
    row = next(row for row in lines if row.pruner == "wanda")
    changed = {row: lines[row] | {"nonzero_parameters": "63504385", "size_mb": "400"}}
    assert {r["verdict"] for r in audit.audit_counts(changed, counts)} == {"differs"}


def test_the_findings_rest_on_the_data(lines, counts):
    cards = files.read_csv(PAPER / "model_cards.csv")
    splits = {"validation": {"from": "ca_test"}, "test": {"from": "test"}}
    found = audit_counts.findings(lines, counts, cards, splits)
    assert len(found) == 5
    text = " ".join(" ".join(finding.values()) for finding in found)
    for figure in (
        "63,504,384",
        "83,656,704",
        "167,957,504",
        "182,560,768",
        "955.50",
        "126,124,032",
    ):
        assert figure in text
    assert found[3]["finding"].endswith("rougeLsum")
    assert "time 0.96 to 1.04" in found[2]["published"]
    # With other data the findings are others.
    swapped = [
        c | {"test_rougeL": c["test_rougeLsum"], "test_rougeLsum": c["test_rougeL"]} for c in cards
    ]
    assert audit_counts.findings(lines, counts, swapped, splits)[3]["finding"].endswith("rougeL")
    turned = {
        row: line | {"test_rouge": line["validation_rouge"], "validation_rouge": line["test_rouge"]}
        for row, line in lines.items()
    }
    assert "do not tell" in audit_counts.findings(turned, counts, cards, splits)[4]["derived"]


def ours(line: dict, **changed) -> dict:
    """A line of our table that agrees with the published one."""
    cells = dict(line) | {"device": "a CPU"}
    for column in audit.SCORES:
        cells |= {
            f"{column}_low": float(line[column]) - 0.01,
            f"{column}_high": float(line[column]) + 0.01,
        }
    return cells | changed


def test_verdicts_on_our_own_run(lines, counts):
    row = Row("opt-125m", "qlora", "wanda", "2:4")
    line = lines[row]

    def verdicts(base="pruned", **changed) -> dict:
        records = audit.audit({row: line}, {row: ours(line, **changed)}, counts, base)
        return {r["column"]: (r["verdict"], r["explanation"]) for r in records}

    same = verdicts(nonzero_parameters="83656704", size_mb="240.5")
    assert same["test_rouge"] == ("reproduced", "")
    assert same["nonzero_parameters"][0] == "explained"
    assert same["size_mb"][0] == "explained"
    assert same["inference_seconds"][0] == "differs"
    far = {"test_rouge_low": "0.5", "test_rouge_high": "0.6"}
    assert verdicts(**far)["test_rouge"][0] == "differs"
    assert "dense base" in verdicts(**far)["test_rouge"][1]
    assert verdicts("dense", **far)["test_rouge"] == ("differs", "")


def test_the_papers_grid_and_protocol_are_those_of_paper_yaml(lines):
    assert list(lines) == read(ROOT / "config" / "paper_grid.tsv", MODELS)
    paper = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    protocol = files.read_json(PAPER / "protocol.json")
    assert {key: protocol[key] for key in ("rank", "target_modules")} == {
        key: paper["qlora"][key] for key in ("rank", "target_modules")
    }
    assert protocol["splits"] == paper["corpora"][paper["corpus"]]["splits"]


def test_the_tables_for_people_hold_every_record(lines, counts):
    records = audit.audit_counts(lines, counts)
    cards = files.read_csv(PAPER / "model_cards.csv")
    splits = {"validation": {"from": "ca_test"}, "test": {"from": "test"}}
    text = audit.counts_markdown(records, audit_counts.findings(lines, counts, cards, splits))
    assert "6 reproduced, 22 explained, 0 differs" in text
    assert text.count("| opt-") == 28
