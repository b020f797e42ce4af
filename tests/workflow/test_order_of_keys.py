"""A section of a configuration says the same, in whatever order its keys stand."""

import yaml

from tests.workflow.project import Project

TARGET = "results/corpus/bills/train.jsonl"


def test_keys_in_another_order_make_nothing_again(opt_folders, tmp_path):
    """Snakemake compares what a param looks like; the first rule of all would run, and the rest."""
    project = Project(tmp_path)
    project.use({"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]})
    done = project.snakemake(TARGET)
    assert done.returncode == 0, done.stdout[-3000:]
    file = tmp_path / "tiny.yaml"
    overlay = yaml.safe_load(file.read_text("utf-8"))

    def turned(section):
        if not isinstance(section, dict):
            return section
        return {key: turned(section[key]) for key in reversed(section)}

    file.write_text(yaml.safe_dump(turned(overlay), sort_keys=False), "utf-8")
    done = project.snakemake("-n", TARGET)
    assert done.returncode == 0 and "Nothing to be done" in done.stdout, done.stdout[-2000:]
