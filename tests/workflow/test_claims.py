"""results/claims.csv: made on request from what is there, whatever rows the grid has."""

import csv

import pytest

from sparsesum.scoring import grounding
from tests.workflow.project import GRID
from tests.workflow.test_reruns import change

CLAIMS = "results/claims.csv"
READ = {"results/claims.md", "results/claims.html"}


def lines(project) -> list[dict]:
    with (project.folder / CLAIMS).open() as file:
        return list(csv.DictReader(file))


def stages(project, before: dict) -> set[str]:
    """The artifacts that were made or changed since."""
    changed = {path for path, state in project.files().items() if before.get(path) != state}
    others = ("results/logs", "results/bench")
    return {p for p in changed if not p.startswith(others) and not p.endswith("provenance.json")}


def planned(project) -> set[str]:
    """The rules that a run would use to make the claims."""
    done = project.snakemake(CLAIMS, "--dry-run")
    assert done.returncode == 0, done.stdout[-3000:]
    cells = [line.split() for line in done.stdout.splitlines()]
    return {row[0] for row in cells if len(row) == 2 and row[1].isdigit()} - {"total"}


@pytest.mark.long("scores the cheats of each bill")
def test_the_claims_of_a_finished_grid(project):
    before = project.files()
    done = project.command(CLAIMS)
    assert done.returncode == 0, done.stdout[-3000:]
    cheats = {f"results/cheats/bills/tiny-pre.{kind}" for kind in ("csv", "jsonl")}
    assert stages(project, before) == {CLAIMS, *READ, *cheats}

    verdicts = {line["claim"]: line["verdict"] for line in lines(project)}
    assert {claim[0] for claim in verdicts} == set("123456789")
    # The grid has one model with base and full rows, and no unpruned qlora row.
    untestable = {claim for claim, said in verdicts.items() if said == "not testable"}
    assert {"1", "2a", "2b", "3", "4", "6b", "7a", "7c"} <= untestable
    tested = set(verdicts) - untestable
    assert {claim[0] for claim in tested} == set("569")
    for line in lines(project):
        assert line["preset"] == "tiny"
        assert line["examples"] == ("5" if line["claim"] in tested else "")
    assert "not testable" in (project.folder / "results/claims.md").read_text()

    with (project.folder / "results/cheats/bills/tiny-pre.csv").open() as file:
        scored = list(csv.DictReader(file))
    with (project.folder / "results/examples/bills/tiny-pre/dense/base.csv").open() as file:
        examples = [row for row in csv.DictReader(file) if row["split"] == "test"]
    assert set(scored[0]) == {"cheat", *examples[0], *grounding.METRICS}
    ids = [row["id"] for row in examples]
    assert [(row["cheat"], row["id"]) for row in scored if row["split"] == "test"] == [
        (kind, bill) for kind in ("copy", "append", "repeat", "blank") for bill in ids
    ]
    # A copied opening of a bill shares words with its summary.
    assert all(float(row["rouge1"]) > 0 for row in scored if row["cheat"] == "copy")

    # The table of cheats needs no more than is there.
    before = project.files()
    done = project.command("results/table_cheats.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert stages(project, before) == {
        f"results/table_cheats.{kind}" for kind in ("csv", "md", "html")
    }
    with (project.folder / "results/table_cheats.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == 2 * 5 * 3
    facts = [row for row in table if row["metric"] == "fact_f1"]
    assert [row["raised"] for row in facts if row["prediction"] != "repeat"] == ["0"] * 8

    # Another ROUGE scores the cheats again.
    assert "cheats" not in planned(project)
    change(project, "workflow/scripts/sparsesum/scoring/metrics/rouge/rouge.py")
    assert {"cheats", "examples", "claims"} <= planned(project)
    change(project, "workflow/scripts/sparsesum/scoring/metrics/rouge/rouge.py", "\nCHANGED = 1\n")

    # Another number of resamples scores nothing again.
    project.use(project.models, score={"resamples": 77})
    assert planned(project) == {"claims"}

    # A grid of one base row needs no more than is there.
    project.use(project.models, "\n".join(GRID.splitlines()[:2]) + "\n")
    before = project.files()
    done = project.snakemake(CLAIMS)
    assert done.returncode == 0, done.stdout[-3000:]
    assert stages(project, before) == {CLAIMS, *READ}
    testable = {line["claim"][0] for line in lines(project) if line["verdict"] != "not testable"}
    assert testable == set("59")


def test_a_grid_without_a_base_row_is_planned(project):
    project.use(project.models, "\n".join([GRID.splitlines()[0], *GRID.splitlines()[4:]]) + "\n")
    assert planned(project) == {"claims"}
