"""`snakemake download` fetches what the Hub holds; all other jobs do without the Hub."""

import io
import json
import shutil
import time

import pandas
import pytest
from safetensors.torch import load

from tests.fake_hub import Hub, serving
from tests.workflow.project import Project

GRID = "model\tfinetuning\tpruner\tsparsity\nhub\tbase\tnone\tnone\nlocal\tbase\tnone\tnone\n"
BILLS = [{"text": f"Bill {n}.", "summary": f"About {n}.", "title": f"T{n}"} for n in range(6)]
FETCHED = {"model/hub", "corpus/hub-bills", "encoder/encoder"}
SPLITS = {
    split: {"from": origin, "records": 4}
    for split, origin in (("train", "train"), ("validation", "ca_test"), ("test", "test"))
}


def parquet(records: list[dict]) -> bytes:
    buffer = io.BytesIO()
    pandas.DataFrame(records).to_parquet(buffer)
    return buffer.getvalue()


@pytest.fixture
def there(opt_folders):
    """A Hub with a model, a corpus and an encoder."""
    with serving(Hub()) as there:
        model = {path.name: path.read_bytes() for path in opt_folders["pre"].iterdir()}
        there.add("models", "acme/tiny", model | {"pytorch_model.bin": b"pickle"})
        splits = ("train", "test", "ca_test", "other")
        files = {f"data/{split}-00000-of-00001.parquet": parquet(BILLS) for split in splits}
        there.add("datasets", "acme/bills", files)
        there.add("models", "acme/encoder", {"config.json": b"{}", "model.safetensors": b"x"})
        yield there


@pytest.fixture
def bare(tmp_path, there, opt_folders, monkeypatch) -> Project:
    """A project that wants all three from that Hub, and another model from a folder."""
    monkeypatch.setenv("HF_ENDPOINT", there.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    project = Project(tmp_path)
    corpus = {"source": "acme/bills", "revision": None, "splits": SPLITS}
    project.use(
        {"hub": "acme/tiny", "local": opt_folders["post"]},
        GRID,
        corpus="hub-bills",
        corpora={"hub-bills": corpus},
        score={"encoder": "acme/encoder", "sha256": None},
    )
    return project


def done(project: Project, *arguments: str) -> str:
    run = project.snakemake(*arguments)
    assert run.returncode == 0, run.stdout[-3000:]
    return run.stdout


def refused(project: Project, said: str, *arguments: str) -> None:
    """The run fails, soon, one line says why, and nothing was made."""
    before = {path for path in made(project) if "/logs/" not in path}
    start = time.monotonic()
    run = project.snakemake(*arguments)
    assert run.returncode != 0 and "Traceback" not in run.stdout
    assert time.monotonic() - start < 20
    assert said in run.stdout, run.stdout[-3000:]
    assert {path for path in made(project) if "/logs/" not in path} == before


def made(project: Project) -> set[str]:
    return set(project.files()) if (project.folder / "results").exists() else set()


def planned(project: Project, *arguments: str) -> dict[str, int]:
    """The jobs of a dry run, by rule."""
    said = done(project, *arguments, "--dry-run", "--quiet", "reason")
    table = said.split("Job stats:\n")[1].split("\n\n")[0]
    return {line.split()[0]: int(line.split()[1]) for line in table.splitlines()[2:-1]}


MODEL = "results/dense/hub/model.safetensors"
CORPUS = [f"results/corpus/hub-bills/{split}.jsonl" for split in SPLITS]


@pytest.mark.long("five runs with true jobs")
def test_download_and_then_a_run_without_the_hub(bare, there):
    said = done(bare, "download")
    manifests = {f"results/fetch/{name}.json" for name in FETCHED}
    records = {f"results/fetch/{name}.provenance.json" for name in FETCHED}
    assert {path for path in made(bare) if not path.startswith(("results/log", "results/bench"))} \
        == manifests | records  # fmt: skip
    assert all(f"{manifest}, after " in said for manifest in manifests)
    assert "pytorch_model.bin" not in there.gets()
    assert "data/other-00000-of-00001.parquet" not in there.gets()
    assert "Nothing to be done" in done(bare, "download")

    held, there.asked = there.repositories, []
    there.repositories = {}
    done(bare, MODEL, *CORPUS)
    assert there.asked == []
    dense = load((bare.folder / MODEL).read_bytes())
    source = load(held["models/acme/tiny"].files["model.safetensors"])
    assert dense.keys() == source.keys()
    assert all((dense[name] == tensor).all() for name, tensor in source.items())
    for path in CORPUS:
        records = [json.loads(line) for line in (bare.folder / path).open()]
        assert [record["text"] for record in records] == [bill["text"] for bill in BILLS[:4]]

    # Fetched again with the same result: what was made from it stands.
    there.repositories = held
    shutil.rmtree(bare.folder / "hf")
    done(bare, "download", "--forcerun", "fetch")
    assert "Nothing to be done" in done(bare, MODEL, *CORPUS)


def test_a_job_waits_for_its_own_source_alone(bare):
    assert planned(bare, MODEL) == {"fetch": 1, "dense": 1}
    assert planned(bare, "results/dense/local/model.safetensors") == {"dense": 1}
    assert planned(bare, CORPUS[0]) == {"fetch": 1, "corpus": 1}
    jobs = planned(bare, "results/table3.csv")
    assert jobs["fetch"] == 3 and jobs["examples"] == 2


def test_without_a_network(bare, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    said = "error: key models.hub.source: 'acme/tiny' cannot be had from http://127.0.0.1:9"
    refused(bare, said, "download")
    refused(bare, said, MODEL)


def test_a_cache_that_was_emptied(bare):
    manifest = "results/fetch/model/hub.json"
    done(bare, manifest)
    shutil.rmtree(bare.folder / "hf")
    refused(bare, f"delete {manifest} and run the target `download` again", MODEL)
    (bare.folder / manifest).unlink()
    done(bare, manifest)
    assert planned(bare, MODEL) == {"dense": 1}


def test_nothing_to_download_where_all_sources_are_folders(bare, opt_folders):
    bare.use({"hub": opt_folders["pre"], "local": opt_folders["post"]}, GRID)
    assert "Nothing to be done" in done(bare, "download")
    assert made(bare) == set()
