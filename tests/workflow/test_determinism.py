"""The same configuration on the same machine: the same bytes, however many cores, in any order."""

from pathlib import Path

import pytest

from sparsesum import grid
from tests.workflow.project import Project, is_provenance

MEASURED = ("results/logs/", "results/benchmarks/", "results/measure/")
"""What tells how long something took. costs.json and the table's columns of costs are others."""
TIMED = ("results/table3.", "results/plots/quality_time.", "results/plots/heat_map.")
"""What shows the table's columns of costs."""


@pytest.fixture(scope="module")
def again(finished, opt_folders, tmp_path_factory) -> Project:
    """The tiny grid a second time: one core, and row by row from the last to the first."""
    again = Project(tmp_path_factory.mktemp("again"))
    again.use({"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]})
    rows = grid.read(again.folder / "grid.tsv", ["tiny-pre", "tiny-post"])
    targets = [
        f"results/score/bills/{row.model}/{row.checkpoint}/{row.finetuning}.json"
        for row in reversed(rows)
    ]
    for target in [*targets, "all"]:
        done = again.snakemake("--cores", "1", target)
        assert done.returncode == 0, done.stdout[-5000:]
    return again


def artifacts(project: Project) -> dict[str, Path]:
    return {
        name: project.folder / name
        for name in project.files()
        # A record of provenance says when and where.
        if not name.startswith(MEASURED) and not is_provenance(name)
    }


def test_every_artifact_is_the_same_to_the_byte(finished, again):
    ours, theirs = artifacts(again), artifacts(finished)
    assert set(ours) == set(theirs)
    named = [name for name in ours if not name.endswith("costs.json")]
    named = [name for name in named if not name.startswith(TIMED)]
    different = [name for name in named if ours[name].read_bytes() != theirs[name].read_bytes()]
    assert not different
    stages = {name.split("/")[1] for name in named} - {"plots"}
    assert stages == set(
        "corpus tokens calibration dense prune full qlora generate examples grounding score "
        "sparsity".split()
    )
    endings = {Path(name).suffix for name in named}
    assert endings >= {".safetensors", ".jsonl", ".parquet", ".csv", ".json"}
    assert sum(name.endswith("curve.csv") for name in named) == 5
    assert len(named) > 60


def test_the_table_is_the_same_but_for_the_measured_costs(finished, again):
    assert len(finished.scores()) == 6
    assert again.scores() == finished.scores()
