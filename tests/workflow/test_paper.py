"""The paper preset plans the paper's grid."""

import os
import subprocess
import sys

from tests.workflow.project import ROOT


def test_a_dry_run_of_the_paper_preset_lists_14_rows(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--cores", "1", "--dry-run", "--quiet", "reason", "--nocolor"),
            *("--configfile", str(ROOT / "config" / "paper.yaml"), "--", "results/table3.csv"),
        ],
        cwd=tmp_path,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    jobs = dict(
        line.split()
        for line in done.stdout.splitlines()
        if len(line.split()) == 2 and line[0] != "-"
    )
    assert (jobs["generate"], jobs["examples"], jobs["measure"]) == ("28", "14", "14")
    assert jobs["fetch"] == "4"  # two models, the corpus, the encoder
    assert (jobs["prune"], jobs["full"], jobs["qlora"]) == ("8", "2", "10")
