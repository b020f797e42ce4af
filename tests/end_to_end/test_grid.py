"""A tiny grid through every rule, from the bills to the report."""

import csv
import json
import zipfile
from pathlib import Path

import pytest

from sparsesum.experiment import grid, patterns
from sparsesum.jobs import timestamps, verification
from sparsesum.models import linears
from sparsesum.pruning import checks
from tests.workflow.project import GRID, Project

TRUE = pytest.mark.long("a whole run of true commands, one job after the other")


@pytest.fixture(scope="module", params=["finished", pytest.param("again", marks=TRUE)])
def made(request) -> Project:
    """The tiny grid as the other tests have it, made by forks, and as a user has it."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def table(made) -> list[dict]:
    with (made.folder / "results" / "table3.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_table_has_the_grids_rows_and_no_empty_cell_in_the_papers_columns(table):
    rows = [line.split("\t") for line in GRID.splitlines()[1:]]
    assert [list(line.values())[:4] for line in table] == rows
    for line in table:
        assert all(value != "" for value in list(line.values())[:11])
        assert line["preset"] == "tiny"
        assert 0 <= float(line["test_rouge_low"]) <= float(line["test_rouge_high"]) <= 1
        assert float(line["inference_seconds"]) > 0


def test_nonzero_parameters_and_sizes_are_the_artifacts(made, table):
    from safetensors.torch import load_file

    base, full, wanda = table[:3]
    results = made.folder / "results"
    dense = load_file(results / "dense" / "tiny-pre" / "model.safetensors")
    assert int(base["nonzero_parameters"]) == sum(int(t.count_nonzero()) for t in dense.values())
    adapter = 2 * 3 * 2 * 4 * 32
    assert int(full["nonzero_parameters"]) <= int(full["parameters"]) == int(base["parameters"])
    assert int(wanda["parameters"]) == int(base["parameters"]) + adapter
    pruned = sum(dense[name].numel() for name in linears.weights(dense))
    assert int(wanda["nonzero_parameters"]) <= int(wanda["parameters"]) - pruned // 2
    folder = results / "qlora" / "bills" / "tiny-pre" / "wanda_2of4"
    files = [*folder.rglob("*.safetensors"), *folder.rglob("*config.json")]
    uncounted = ("generation_config.json", "tokenizer_config.json")
    files = [f for f in files if f.name not in uncounted]
    files.append(results / "dense" / "tiny-pre" / "tokenizer.json")
    size = sum(file.stat().st_size for file in files) / 2**20
    assert float(wanda["size_mb"]) == pytest.approx(size, abs=1e-4)


def test_every_pruned_artifact_has_its_pattern(made):
    from safetensors.torch import load_file

    results = made.folder / "results"
    for row in grid.read(made.folder / "grid.tsv", ["tiny-pre", "tiny-post"]):
        if row.pruner == grid.NONE:
            continue
        pattern = patterns.parse(row.sparsity)
        where = f"bills/{row.model}/{row.checkpoint}"
        tuned = results / row.finetuning / where / ("base" if row.finetuning == "qlora" else "")
        for folder in (results / "prune" / where, tuned):
            checks.check(load_file(folder / "model.safetensors"), pattern)


def test_what_a_run_leaves(made):
    results = made.folder / "results"
    row = "bills/tiny-pre/wanda_2of4/qlora"
    for split, count in (("validation", 4), ("test", 5)):
        records = [json.loads(x) for x in (results / f"generate/{row}/{split}.jsonl").open()]
        assert len(records) == count
        assert set(records[0]) == {
            "id", "prompt_tokens", "tokens", "cut_off", "prediction", "reference",
        }  # fmt: skip
    with (results / f"examples/{row}.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 9
    costs = json.loads((results / f"measure/{row}.json").read_text())
    # int8 and transformers' own way are measured for rows without pruning, of which there is none.
    assert set(costs["ms_per_token"]) == {"dense"}
    spent = json.loads((results / f"generate/{row}/costs.json").read_text())
    assert costs["inference_seconds"] == spent["inference_seconds"] > 0
    assert (spent["examples"], spent["batch_size"], spent["engine"]) == (9, 4, "dense")
    # measure.repeats is 1 here: the median is that run.
    assert costs["ms_per_token_runs"] == {k: [v] for k, v in costs["ms_per_token"].items()}
    assert (results / "qlora/bills/tiny-pre/wanda_2of4/curve.csv").is_file()
    assert (results / f"logs/measure/{row}.log").is_file()
    assert (results / f"benchmarks/measure/{row}.tsv").is_file()
    hidden = [path for path in results.rglob(".*") if not path.name.endswith(".log.lock")]
    assert not hidden


def test_every_benchmark_has_the_name_of_the_record(made, monkeypatch):
    monkeypatch.chdir(made.folder)
    records = verification.records(Path("results"))
    assert len(records) > 40
    for record in records:
        if record.parent.name == "plots":  # drawn from tables, never from a large file
            continue
        job = timestamps._job(Path("results"), record)
        assert all(Path(path).is_file() for path in job.left), record


def test_the_run_ends_with_the_table_and_says_what_made_it(made):
    end = made.output[-6000:]
    assert "Results grid, preset tiny" in end and "A test's models: random weights." in end


def test_the_rules_that_make_what_ships(project):
    made = ["results/bills/train.jsonl", "results/pretrain/tiny-post/model.safetensors"]
    done = project.snakemake(*made)
    assert done.returncode == 0, done.stdout[-3000:]
    shipped = project.folder / "resources" / "bills" / "train.jsonl"
    assert (project.folder / made[0]).read_bytes() == shipped.read_bytes()


def test_the_report(project):
    done = project.command("--report", "report.zip")
    assert done.returncode == 0, done.stdout[-3000:]
    names = zipfile.ZipFile(project.folder / "report.zip").namelist()
    assert any(name.endswith("report.html") for name in names)
    assert sum(name.endswith(("table3.csv", ".svg")) for name in names) >= 3


def test_the_plots_data_are_the_artifacts(made, table):
    def drawn(name: str) -> list[dict]:
        with (made.folder / "results" / "plots" / f"{name}.csv").open() as file:
            return list(csv.DictReader(file))

    for name, cost in (("quality_size", "size_mb"), ("quality_time", "inference_seconds")):
        lines = drawn(name)
        columns = ("model", "sparsity", cost, "test_rouge", "test_rouge_low", "test_rouge_high")
        for key in columns:
            assert [line[key] for line in lines] == [line[key] for line in table]
        assert "True" in {line["front"] for line in lines}
    trained = {(x["model"], x["finetuning"], x["pruner"]) for x in drawn("training_curves")}
    assert len(trained) == 5
    lines = drawn("sparsity_layers")
    rows = list(dict.fromkeys(tuple(list(line.values())[:4]) for line in lines))
    # Each row, a pruned one after its checkpoint as pruned.
    assert len(rows) == 6 + 4 and rows[2:4] == [
        ("tiny-pre", "base", "wanda", "2:4"),
        ("tiny-pre", "qlora", "wanda", "2:4"),
    ]
    for line in lines:
        share = float(line["share"])
        if line["layer"]:
            assert (0.5 <= share < 0.53) if line["pruner"] != "none" else share < 0.001, line
        elif line["linear"] == "embeddings":
            assert share == 0, line
        else:
            assert 0 <= share < 0.5, line
