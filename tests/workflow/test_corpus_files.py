"""A corpus in the formats that people have it in: whatever file is read, a change of it reruns."""

import gzip
import json
from pathlib import Path

import yaml

from tests.workflow.project import Project

NEWS = [{"article": f"News {n}.", "highlights": "" if n == 1 else f"About {n}."} for n in range(5)]
CORPUS = {
    "source": "news",
    "revision": None,
    "configuration": "3.0.0",
    "columns": {"text": "article", "summary": "highlights"},
    "incomplete": "skip",
    "splits": {
        "train": {"from": "train", "records": 3},
        "validation": {"from": "dev", "records": 3},
        "test": {"from": "test", "records": 3},
    },
}
FILES = ["data/3.0.0/train.json.gz", "3.0.0/data/dev.csv", "3.0.0/test/data-00000-of-00001.arrow"]
SPLITS = [f"results/corpus/news/{split}.jsonl" for split in CORPUS["splits"]]


def write(folder: Path) -> None:
    """Each split in another format, and beside them another configuration."""
    import datasets

    data = datasets.Dataset.from_list(NEWS)
    for name in ("3.0.0", "1.0.0"):
        data.save_to_disk(folder / name / "test")
        (folder / name / "data").mkdir()
        data.to_csv(folder / name / "data" / "dev.csv", index=False)
        (folder / "data" / name).mkdir(parents=True)
        array = gzip.compress(json.dumps(NEWS).encode(), mtime=0)
        (folder / "data" / name / "train.json.gz").write_bytes(array)


def planned(project: Project) -> set[str]:
    done = project.snakemake(*SPLITS, "--summary")
    assert done.returncode == 0, done.stdout
    rows = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("results/")]
    return {row[0] for row in rows if row[-1] != "no update" and row[0] in SPLITS}


def test_a_change_of_any_file_that_is_read_reruns_its_split(tmp_path):
    project = Project(tmp_path)
    overlay = {"corpus": "news", "corpora": {"news": CORPUS}}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(overlay))
    write(tmp_path / "news")
    made = project.snakemake(*SPLITS)
    assert made.returncode == 0, made.stdout[-3000:]
    assert made.stdout.count("1 records left out: 1 with a blank highlights; the first is") == 3
    kept = [{"text": f"News {n}.", "summary": f"About {n}."} for n in (0, 2, 3)]
    for path in SPLITS:
        records = [json.loads(line) for line in (tmp_path / path).read_text().splitlines()]
        assert [{"text": r["text"], "summary": r["summary"]} for r in records] == kept
    for path in (tmp_path / "news").rglob("*"):
        if "1.0.0" in path.parts and path.is_file():
            path.write_bytes(b"")
    assert planned(project) == set()
    for name in FILES:
        with (tmp_path / "news" / name).open("ab") as file:
            file.write(b"\n")
    assert planned(project) == set(SPLITS)
