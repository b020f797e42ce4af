"""Sources on the Hub: what is fetched, how it is checked, and what is said when that fails.

The Hub is a small server on localhost; who fetches is a process of its own, as in a job.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sparsesum.base import hub
from tests.fake_hub import Hub, serving

pytestmark = pytest.mark.slow

FETCH = """
import json, os, sys
from sparsesum.jobs.job import job
os.environ["HF_HUB_DISABLE_XET"] = "1"
with job("fetch", "fetch.log", "manifest.json", hub=True):
    from sparsesum.base import files
    from sparsesum.corpus import download
    files.write_json("manifest.json", download.fetch(**json.loads(sys.argv[1])))
"""
COMMIT = "c" * 40
MODEL = {
    "config.json": b'{"model_type": "opt"}',
    "merges.txt": b"#version: 0.2\n",
    "model.safetensors": bytes(range(256)) * 1000,
    "pytorch_model.bin": b"a pickle",
    "tf_model.h5": b"tensorflow",
    "flax_model.msgpack": b"flax",
    "README.md": b"# OPT",
    "onnx/config.json": b"{}",
}
WANTED = ["config.json", "merges.txt", "model.safetensors"]
TINY = {
    "kind": "model",
    "source": "acme/tiny",
    "revision": COMMIT,
    "keys": ["models.tiny.source", "models.tiny.revision"],
}


@pytest.fixture
def there():
    with serving(Hub()) as there:
        there.add("models", "acme/tiny", MODEL)
        yield there


class Machine:
    """A working directory and a cache, where a source is fetched."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.cache = folder, folder / "hf" / "hub"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ["PYTHONPATH"],
            "HF_HOME": str(folder / "hf"),
            "HF_ENDPOINT": url,
        }

    def start(self, **wanted) -> subprocess.Popen:
        (self.folder / "manifest.json").unlink(missing_ok=True)
        return subprocess.Popen(
            [sys.executable, "-c", FETCH, json.dumps(TINY | wanted)],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fetch(self, **wanted) -> dict:
        """The manifest of a fetch that must succeed."""
        process = self.start(**wanted)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        # Lines of ours alone: a library's would show the addresses of signed downloads.
        assert all(re.match("fetch: (acme|checking|manifest)", line) for line in said.splitlines())
        return json.loads((self.folder / "manifest.json").read_text())

    def refused(self, **wanted) -> str:
        """The one line that a fetch ends with that must fail, and leave no manifest."""
        process = self.start(**wanted)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1 and "Traceback" not in said, said
        assert not (self.folder / "manifest.json").exists()
        lines = [line for line in said.splitlines() if "error: " in line]
        assert len(lines) == 1 and said.splitlines()[-1] == lines[0], said
        return lines[0].split("error: ", 1)[1]

    def complete(self) -> set[str]:
        """Files that a reader of the cache would find."""
        return {path.name for path in self.cache.glob("*/snapshots/*/**/*") if path.is_file()}


@pytest.fixture
def machine(tmp_path: Path, there: Hub) -> Machine:
    return Machine(tmp_path, there.url)


def test_what_is_needed_is_fetched_and_listed(machine, there):
    manifest = machine.fetch()
    folder = Path(manifest.pop("folder"))
    assert manifest == {
        "kind": "model",
        "source": "acme/tiny",
        "revision": COMMIT,
        "commit": COMMIT,
        "files": {
            name: {
                "bytes": len(MODEL[name]),
                "sha256": hashlib.sha256(MODEL[name]).hexdigest(),
            }
            for name in WANTED
        },
    }
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: MODEL[name] for name in WANTED
    }
    # The pickle, other frameworks' weights and the rest did not travel.
    assert there.gets() == WANTED
    assert hub.folder("acme/tiny", [str(machine.folder / "manifest.json")]) == folder


def test_names_of_files_that_lead_out_of_the_cache_are_left_alone(machine, there):
    """Whoever makes a repository chooses its files' names."""
    odd = ["../evil.json", "../../../evil.json", "/tmp/evil.json", "a\nb.json", "..\\evil.json"]
    there.add("models", "acme/tiny", MODEL | dict.fromkeys(odd, b"{}"))
    manifest = machine.fetch()
    assert sorted(manifest["files"]) == sorted(WANTED) and there.gets() == WANTED
    assert not list(machine.folder.parent.rglob("*evil*"))


def test_a_commit_that_is_none_is_refused(machine, there):
    there.add("models", "acme/tiny", MODEL, commit="../../evil")
    said = machine.refused(revision="main")
    assert said.startswith("key models.tiny.revision: ") and "calls no commit '../../evil'" in said
    assert not list(machine.folder.parent.rglob("*evil*"))


def test_what_is_there_is_not_fetched_again(machine, there):
    first = machine.fetch()
    there.asked.clear()
    assert machine.fetch() == first
    assert there.gets() == []


def test_a_branch_is_resolved_to_its_commit(machine):
    manifest = machine.fetch(revision=None)
    assert (manifest["revision"], manifest["commit"]) == (None, COMMIT)
    assert COMMIT in manifest["folder"]


def test_a_corpus_is_the_files_of_its_splits(machine, there):
    files = {
        "data/train-00000-of-00002.parquet": b"1",
        "data/train-00001-of-00002.parquet": b"2",
        "data/ca_test-00000-of-00001.parquet": b"3",
        "data/extra-00000-of-00001.parquet": b"4",
        "README.md": b"5",
    }
    there.add("datasets", "acme/bills", files)
    manifest = machine.fetch(kind="corpus", source="acme/bills", splits=["train", "ca_test"])
    assert sorted(manifest["files"]) == there.gets() == sorted(files)[1:][:1] + sorted(files)[3:]


def test_of_several_configurations_one_is_fetched(machine, there):
    files = {f"{version}/{split}-00000-of-00001.parquet": split.encode() + version.encode()
             for version in ("1.0.0", "3.0.0") for split in ("train", "test")}  # fmt: skip
    there.add("datasets", "acme/news", files)
    wanted = {"kind": "corpus", "source": "acme/news", "splits": ["train", "test"]}
    said = machine.refused(**wanted)
    assert "split 'train' is there in several folders, 1.0.0, 3.0.0; set the corpus's key" in said
    assert there.gets() == []
    manifest = machine.fetch(**wanted, configuration="3.0.0")
    assert list(manifest["files"]) == there.gets() == sorted(files)[2:]


def test_a_calibration_text_is_its_one_file(machine, there):
    there.add("datasets", "acme/c4", {"en/a.json.gz": b"1", "en/b.json.gz": b"2", "a.json": b"3"})
    manifest = machine.fetch(kind="text", source="acme/c4", file="en/b.json.gz")
    assert sorted(manifest["files"]) == there.gets() == ["en/b.json.gz"]
    said = machine.refused(kind="text", source="acme/c4", file="en/c.json.gz")
    assert "no text in the repository; allowed is en/c.json.gz; there is a.json" in said


LARGE = {"config.json": b"{}", "model.safetensors": os.urandom(12_000_000)}


def test_a_connection_that_breaks_is_taken_up_where_it_broke(machine, there):
    there.add("models", "acme/tiny", LARGE)
    there.breaks["model.safetensors"] = 11_000_000
    manifest = machine.fetch()
    content = (Path(manifest["folder"]) / "model.safetensors").read_bytes()
    assert content == LARGE["model.safetensors"]
    assert any(line.endswith("bytes=10485760-") for line in there.asked)


def test_a_connection_that_always_breaks_is_an_error_and_the_next_run_mends_it(machine, there):
    there.breaks["model.safetensors"], there.forever = 1000, True
    said = machine.refused()
    assert said.startswith("key models.tiny.source: 'acme/tiny' cannot be had from http://127.")
    assert "run `download` again" in said
    assert machine.complete() == {"config.json", "merges.txt"}
    there.breaks.clear()
    there.asked.clear()
    assert (Path(machine.fetch()["folder"]) / "model.safetensors").read_bytes() == MODEL[
        "model.safetensors"
    ]
    assert there.gets() == ["model.safetensors"]


def test_a_killed_download_leaves_nothing_that_passes_for_complete(machine, there):
    there.stalls["model.safetensors"] = threading.Event()
    process = machine.start()
    assert there.stalls["model.safetensors"].wait(30)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (machine.folder / "manifest.json").exists()
    assert "model.safetensors" not in machine.complete()
    there.stalls.clear()
    assert list(machine.fetch()["files"]) == WANTED


def removed(said: str) -> Path:
    """Do what the message says: remove the file."""
    file = Path(re.search(r"remove (\S+) and run `download` again", said)[1])
    file.unlink()
    return file


def test_a_file_that_arrives_wrong_is_noticed(machine, there):
    there.wrong.add("model.safetensors")
    said = machine.refused()
    wrong = bytes([1]) + MODEL["model.safetensors"][1:]
    for content in (wrong, MODEL["model.safetensors"]):
        assert hashlib.sha256(content).hexdigest() in said
    assert f"snapshots/{COMMIT}/model.safetensors: its sha256 is" in said
    removed(said)
    there.wrong.clear()
    assert list(machine.fetch()["files"]) == WANTED


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_was_damaged_in_the_cache_is_noticed(machine, there, name):
    file = Path(machine.fetch()["folder"]) / name
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert removed(machine.refused()) != file
    assert (Path(machine.fetch()["folder"]) / name).read_bytes() == MODEL[name]


def test_a_revision_that_is_gone(machine):
    said = machine.refused(revision="d" * 40)
    assert said.startswith("key models.tiny.revision: 'acme/tiny' has no revision 'ddd")
    assert said.endswith("/acme/tiny/commits/main")


def test_a_revision_of_a_corpus_that_is_gone(machine, there):
    there.add("datasets", "acme/bills", {"test.parquet": b"1"})
    said = machine.refused(kind="corpus", source="acme/bills", revision="old", splits=["test"])
    assert said.endswith("/datasets/acme/bills/commits/main")


@pytest.mark.parametrize(
    ("refused", "part"),
    [
        (None, "no repository http"),
        ((401, ""), "no repository http"),
        ((403, ""), "that you may read (HTTP 403); correct it, log in with `hf auth login`"),
        ((403, "GatedRepo"), "gated (HTTP 403); ask for access at"),
        ((500, ""), "answers HTTP 500; run `download` again later"),
    ],
)
def test_a_repository_that_cannot_be_read(machine, there, refused, part):
    if refused is None:
        there.repositories.clear()
    else:
        there.repositories["models/acme/tiny"].refused = refused
    said = machine.refused()
    assert said.startswith("key models.tiny.source: 'acme/tiny': ") and part in said
    assert said.endswith("or set models.tiny.source to a local folder with the same files")


def test_no_network(machine):
    machine.environment["HF_ENDPOINT"] = "http://127.0.0.1:9"  # nobody listens there
    said = machine.refused()
    assert said.startswith(
        "key models.tiny.source: 'acme/tiny' cannot be had from http://127.0.0.1"
    )
    assert "on a machine with a network" in said and "set models.tiny.source to a local" in said


def test_a_hub_that_is_switched_off(machine):
    machine.environment["HF_HUB_OFFLINE"] = "1"
    assert "HF_HUB_OFFLINE switches off: unset it, or set models.tiny.source" in machine.refused()


def test_a_repository_without_weights(machine, there):
    there.add("models", "acme/tiny", {"config.json": b"{}", "tf_model.h5": b"x"})
    said = machine.refused()
    assert "no weights in the repository; allowed is model.safetensors" in said
    assert there.gets() == []
