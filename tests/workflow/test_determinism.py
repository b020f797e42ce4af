"""The same configuration on the same machine: the same bytes.

However many cores, in any order, and whether true commands make them or the forks that most tests
take (tests/workflow/forked.py).
"""

from pathlib import Path

import pytest

from tests.workflow.project import Project, is_provenance

MEASURED = ("results/logs/", "results/benchmarks/", "results/measure/")
"""What tells how long something took. costs.json and the table's columns of costs are others."""
TIMED = ("results/table3.", "results/plots/quality_time.", "results/plots/heat_map.")
"""What shows the table's columns of costs."""


pytestmark = pytest.mark.long("a whole run of true commands, one job after the other")


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
