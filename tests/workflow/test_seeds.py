"""results/seeds.csv: a further seed costs its own jobs, and changes nothing that is there."""

import csv
import json

import pytest

from tests.workflow.project import GRID
from tests.workflow.test_bad_input import refused
from tests.workflow.test_claims import stages
from tests.workflow.test_reruns import TABLES, change, plots, rules

SEEDS, COMPARISONS = "results/seeds.csv", "results/comparisons.csv"
GRID_OF_TWO = "\n".join(GRID.splitlines()[i] for i in (0, 1, 3)) + "\n"
"""A base row, which has no seed, and a pruned QLoRA row."""
SEEDS_TABLE = {f"results/seeds.{kind}" for kind in ("csv", "md", "html")}
COMPARISONS_TABLE = {f"results/comparisons.{kind}" for kind in ("csv", "md", "html")}


def lines(project, path: str) -> list[dict]:
    with (project.folder / path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_further_seed_costs_its_own_jobs(project):
    # One seed: of what there is.
    before = project.files()
    done = project.snakemake(SEEDS)
    assert done.returncode == 0, done.stdout[-3000:]
    assert stages(project, before) == SEEDS_TABLE
    assert len({(line["model"], line["pruner"]) for line in lines(project, SEEDS)}) == 5
    assert {line["between_seeds"] for line in lines(project, SEEDS)} == {""}
    assert "one seed, which says nothing" in (project.folder / "results/seeds.md").read_text()

    project.use(project.models, seeds=[42, 43])
    # The table takes the new one in, and its costs stay the first one's.
    planned = project.planned()
    assert "results/table3.csv" in planned
    assert all("@43/" in path for path in planned - TABLES)
    assert plots(planned) == ["quality_size", "quality_time", "heat_map"]
    trained = {"full", "qlora", "generate", "examples", "grounding", "score"}
    assert rules(planned) == trained | {"plots"}
    planned = project.planned(SEEDS)
    assert all("@43/" in path for path in planned - SEEDS_TABLE)
    assert rules(planned) == {"full", "qlora", "generate", "examples", "grounding"}
    scored = {path.removeprefix("results/examples/bills/") for path in planned if "/exa" in path}
    assert scored == {
        "tiny-pre/dense@43/full.csv", "tiny-pre/wanda_2of4@43/qlora.csv",
        "tiny-pre/magnitude_50@43/qlora.csv", "tiny-post/sparsegpt_4of8@43/qlora.csv",
        "tiny-post/wanda_50@43/full.csv",
    }  # fmt: skip


def test_two_seeds_for_real(project):
    project.use(project.models, GRID_OF_TWO, seeds=[42, 43])
    before = project.files()
    done = project.snakemake(SEEDS)
    assert done.returncode == 0, done.stdout[-3000:]
    after = project.files()
    kept = {path: state for path, state in before.items() if "/logs/" not in path}
    assert {path: after[path] for path in kept} == kept
    row = "bills/tiny-pre/wanda_2of4@43"
    assert {path for path in stages(project, before) if "@43" not in path} == SEEDS_TABLE
    records = {
        seed: json.loads((project.folder / f"results/qlora/{path}/provenance.json").read_text())
        for seed, path in ((42, row.removesuffix("@43")), (43, row))
    }
    assert {seed: record["seed"] for seed, record in records.items()} == {42: 42, 43: 43}
    ours, other = (record["params"]["settings"] for record in records.values())
    assert ours == other | {"seed": 42}

    # The base has no seed, the adapter has.
    def made(seed: int, ending: str) -> list[str]:
        return [s for path, s in records[seed]["outputs"].items() if path.endswith(ending)]

    assert made(42, "base/model.safetensors") == made(43, "base/model.safetensors")
    assert made(42, "adapter_model.safetensors") != made(43, "adapter_model.safetensors")

    found = [line for line in lines(project, SEEDS) if line["metric"] == "rougeLsum"]
    assert [(line["pruner"], line["split"]) for line in found] == [
        ("wanda", "validation"), ("wanda", "test")
    ]  # fmt: skip
    for line in found:
        one, other = float(line["mean_42"]), float(line["mean_43"])
        assert float(line["between_seeds"]) == pytest.approx(abs(one - other) / 2**0.5, abs=2e-6)
        assert line["seeds"] == "2" and float(line["mean"]) == pytest.approx(
            (one + other) / 2, abs=2e-6
        )

    (project.folder / SEEDS).unlink()
    assert project.command(SEEDS).returncode == 0

    # The table's scores are means over both.
    done = project.snakemake("results/table3.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    base, wanda = lines(project, "results/table3.csv")
    (test,) = [line for line in found if line["split"] == "test"]
    assert float(wanda["test_rouge"]) == pytest.approx(float(test["mean"]), abs=1e-4)
    assert (base["trainings"], wanda["trainings"]) == ("", "2")
    text = (project.folder / "results/table3.md").read_text()
    assert "scores are means of 2 trainings" in text

    # What was made for the seed is there when the seeds change their order or a third comes.
    project.use(project.models, GRID_OF_TWO, seeds=[42, 44, 43])
    others = {path for path in project.planned(SEEDS) if "@44" not in path}
    assert others == SEEDS_TABLE


def test_seeds_that_are_none(project):
    project.use(project.models, seeds=[42, 42])
    refused(project, "tiny.yaml: key 'seeds': [42, 42] has non-unique elements")
    project.use(project.models, seeds=["43"])
    refused(project, "tiny.yaml: key 'seeds.0': '43' is not of type integer")


def test_the_comparisons_of_a_finished_grid(project):
    before = project.files()
    done = project.command(COMPARISONS)
    assert done.returncode == 0, done.stdout[-3000:]
    assert stages(project, before) == COMPARISONS_TABLE
    found = lines(project, COMPARISONS)
    assert len(found) == 3 * 2 * 15  # metrics, splits, pairs of six rows
    assert {line["examples"] for line in found if line["split"] == "test"} == {"5"}
    means = {(row["model"], row["finetuning"], row["pruner"]): row for row in project.scores()}
    for line in found:
        if (line["split"], line["metric"]) == ("test", "rougeLsum"):
            row, other = (
                means[line[f"{of}model"], line[f"{of}finetuning"], line[f"{of}pruner"]]
                for of in ("", "other_")
            )
            gap = float(row["test_rouge"]) - float(other["test_rouge"])
            assert abs(float(line["difference"]) - gap) < 2e-4
    text = (project.folder / "results/comparisons.md").read_text()
    assert "Which rows differ, preset tiny" in text and "of all 15 pairs differ" in text

    assert project.planned(COMPARISONS) == set()
    change(project, "workflow/scripts/sparsesum/evidence/comparison.py")
    made = COMPARISONS_TABLE
    assert project.planned(COMPARISONS) == made and project.planned() == set()

    project.use(project.models, comparisons={"resamples": 100})
    said = "key 'comparisons.resamples': 100 can show no difference among 15 pairs of rows; allowed"
    done = project.snakemake(COMPARISONS)
    assert done.returncode != 0 and said in done.stdout and "Traceback" not in done.stdout
    project.use(project.models, comparisons={"metrics": ["rouge9"]})
    done = project.snakemake(COMPARISONS)
    said = (
        "key 'comparisons.metrics': tiny-pre base has no scores 'rouge9'; allowed: rouge1, rouge2"
    )
    assert said in done.stdout and "Traceback" not in done.stdout
