"""A SLURM for each module, and the grid as a run without one makes it."""

import os
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, OnSlurm

del os.environ["SLURM_CONF"]  # which keeps other tests away from SLURM


@pytest.fixture(scope="module")
def cluster(request):
    """SLURM, with accounting where the module says so."""
    cluster = Cluster(request.module.ACCOUNTING)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def new_project(opt_folders):
    """A function that puts the project into a folder, with its profile set for these tests."""

    def make(folder: Path, **settings: str) -> OnSlurm:
        project = OnSlurm(folder)
        project.use({"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]})
        project.set_profile(slurm_partition="cpu", **settings)
        return project

    return make


@pytest.fixture(scope="session")
def local(tmp_path_factory, new_project) -> OnSlurm:
    """The grid after a local run; to be copied, not changed."""
    project = new_project(tmp_path_factory.mktemp("local"))
    done = project.snakemake("results/table3.csv")
    assert done.returncode == 0, done.stdout[-5000:]
    return project


@pytest.fixture(scope="session")
def reference(local) -> list[dict[str, str]]:
    """The table of a local run."""
    return local.scores()
