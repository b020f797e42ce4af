"""Times to go by where those of large files mislead; what Snakemake would make of them."""

import os
import random
from pathlib import Path

import pytest

from sparsesum.base import files
from sparsesum.jobs import provenance, timestamps

LARGER = 100
JOBS = {
    "dense/m/": (["source.bin", "code.py"], ["model.bin", "config.json"]),
    "prune/m/": (["results/dense/m/model.bin", "results/dense/m/config.json"], ["model.bin"]),
    "full/m/": (["results/prune/m/model.bin", "code.py"], ["model.bin"]),
    "score/m.": (["results/full/m/model.bin", "results/prune/m/model.bin"], ["csv"]),
}


def run(job: str) -> None:
    """Do a job: what it is made from decides its content. Its benchmark comes last."""
    inputs, outputs = JOBS[job]
    record = provenance.begin("rule", {}, {}, inputs)
    paths = [f"results/{job}{name}" for name in outputs]
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        large = LARGER + 1 if path.endswith(".bin") else 1
        Path(path).write_text(f"{job} {path} {record.inputs}"[-large:].rjust(large))
    record.write(f"results/{job}provenance.json", paths)
    benchmark = Path(f"results/benchmarks/{job[:-1]}.tsv")
    benchmark.parent.mkdir(parents=True, exist_ok=True)
    benchmark.write_text("s")


@pytest.fixture(autouse=True)
def chain(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Of no interest here, and slow.
    monkeypatch.setattr(provenance, "versions", dict)
    monkeypatch.setattr(provenance, "commit", lambda folder: None)
    Path("source.bin").write_bytes(b"\0" * (LARGER + 1))
    Path("code.py").write_text("code")
    for job in JOBS:
        run(job)
    in_order()


def everything() -> list[Path]:
    return sorted(path for path in Path().rglob("*") if path.is_file() and path.name[0] != ".")


def in_order() -> None:
    """The times of a run: a job's files are newer than those of the jobs before it."""
    order = ["source.bin", "code.py", *JOBS]
    for path in everything():
        name = str(path).removeprefix("results/").removeprefix("benchmarks/")
        place = next(i for i, job in enumerate(order) if name.startswith(job[:-1]))
        os.utime(path, (1000 + 10 * place, 1000 + 10 * place))


def touch(path: str, time: float = 5000) -> None:
    os.utime(path, (time, time))


def put_right(said: list[str] | None = None, larger: int = LARGER) -> dict[str, float]:
    say = [].append if said is None else said.append
    return timestamps.put_right(Path("results"), larger, Path(".notes"), say)


def remade(times: dict[str, float]) -> set[str]:
    """The jobs with a large input that is newer than an output or the benchmark."""

    def time(path: str) -> float:
        return times.get(path, Path(path).stat().st_mtime)

    found = set()
    for job, (inputs, outputs) in JOBS.items():
        left = [f"results/{job}{name}" for name in [*outputs, "provenance.json"]]
        oldest = min(map(time, [*left, f"results/benchmarks/{job[:-1]}.tsv"]))
        large = [path for path in inputs if Path(path).stat().st_size > LARGER]
        if any(time(path) > oldest for path in large):
            found.add(job)
    return found


def test_where_no_time_misleads_nothing_is_read():
    said = []
    assert put_right(said) == {} and said == [] and not Path(".notes").exists()


@pytest.mark.parametrize("path", ["source.bin", "results/prune/m/model.bin"])
def test_a_touched_file_is_as_old_as_what_was_made_of_it(path):
    touch(path)
    assert remade({})
    said = []
    times = put_right(said)
    assert times.keys() == {path} and not remade(times)
    assert said == [
        "Reading large files with new time stamps, to see whether they changed: 1, 0.0 GB"
    ]


def test_a_small_file_is_left_to_snakemake():
    touch("code.py")
    touch("results/dense/m/config.json")
    assert put_right() == {}


@pytest.mark.parametrize("seed", range(20))
def test_a_copy_with_times_in_any_order(seed):
    shuffled = random.Random(seed)
    for path in everything():
        touch(str(path), 1000 + shuffled.random())
    assert not remade(put_right())


def test_what_changed_is_rebuilt_and_what_was_only_touched_is_not():
    touch("results/prune/m/model.bin")
    Path("source.bin").write_bytes(b"\1" * (LARGER + 1))
    touch("source.bin")
    assert remade(put_right()) == {"dense/m/"}  # and what comes of it, by Snakemake's own rule


@pytest.mark.parametrize("seed", range(20))
def test_half_of_what_depends_on_a_file_was_made_again_before_the_copy(seed):
    """The pruned checkpoint is new, `full` is made from it and `score` not yet; then a copy."""
    Path("code.py").write_text("other code")
    Path("results/prune/m/model.bin").write_bytes(b"\2" * (LARGER + 1))
    said = files.read_json("results/prune/m/provenance.json")
    said["outputs"]["results/prune/m/model.bin"] = files.sha256("results/prune/m/model.bin")
    files.write_json("results/prune/m/provenance.json", said)
    run("full/m/")
    shuffled = random.Random(seed)
    for path in everything():
        touch(str(path), 1000 + shuffled.random())
    touch("results/prune/m/model.bin", 1001)
    assert remade(put_right()) == {"score/m."}


def test_what_was_read_once_is_not_read_again_until_it_is_written_to(monkeypatch):
    read = []
    hash_it = files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: read.append(path) or hash_it(path))
    touch("source.bin")
    first = put_right()
    assert put_right() == first and read == ["source.bin"]
    # Another content of the same size, and the time put back: the inode's own time tells.
    time = Path("source.bin").stat().st_mtime_ns
    Path("source.bin").write_bytes(b"\3" * (LARGER + 1))
    os.utime("source.bin", ns=(time, time))
    assert remade(put_right()) == {"dense/m/"} and read == ["source.bin"] * 2


@pytest.mark.parametrize("notes", ["", "[]", '{"source.bin": 1}', '{"source.bin": ["0"]}'])
def test_notes_that_are_none_are_not_believed(notes):
    Path(".notes").write_text(notes)
    touch("source.bin")
    assert not remade(put_right())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"inputs": [1], "outputs": 3}'])
def test_a_record_that_is_none_is_passed_over(content):
    Path("results/dense/m/provenance.json").write_text(content)
    touch("results/prune/m/model.bin")
    assert remade(put_right()) == set()


def test_a_sparse_file_of_more_than_snakemakes_limit():
    with Path("source.bin").open("wb") as file:
        file.truncate(101_000_000)
    run("dense/m/")
    in_order()
    touch("source.bin")
    said = []
    assert not remade(put_right(said, larger=100_000_000)) and "1, 0.1 GB" in said[0]
    with Path("source.bin").open("r+b") as file:
        file.seek(100_999_999)
        file.write(b"\1")
    assert remade(put_right(larger=100_000_000)) == {"dense/m/"}


def test_a_link_counts_from_when_it_or_its_target_changed():
    Path("source.bin").rename("blob")
    Path("source.bin").symlink_to("blob")
    touch("blob", 900)  # the link itself is of now
    assert not remade(times := put_right()) and times.keys() == {"source.bin"}
