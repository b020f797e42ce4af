"""Files that are newer than the present: another machine's clock, another time zone, an archive."""

import os
import time

from tests.workflow.project import Project

TARGET = "results/corpus/bills/train.jsonl"


def test_an_input_of_the_future_is_told_before_anything_is_made(opt_folders, tmp_path):
    """Snakemake would throw away what a job made from it, be it a day's work, once it is done."""
    project = Project(tmp_path)
    project.use({"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]})
    source = tmp_path / "resources" / "bills" / "train.jsonl"
    later = time.time() + 3 * 3600
    os.utime(source, (later, later))
    done = project.snakemake(TARGET)
    assert done.returncode != 0 and "Traceback" not in done.stdout
    said = "resources/bills/train.jsonl: changed 3 h from now by this machine's clock"
    assert said in done.stdout, done.stdout[-3000:]
    assert not (tmp_path / "results" / "corpus").exists()
    # What a network disk's clock is ahead by does no harm.
    soon = time.time() + 2
    os.utime(source, (soon, soon))
    time.sleep(max(0, soon - time.time()))
    done = project.snakemake(TARGET)
    assert done.returncode == 0 and (tmp_path / TARGET).exists(), done.stdout[-3000:]
