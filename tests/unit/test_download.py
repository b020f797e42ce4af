"""Which files of a source are fetched, what is told of it, and where jobs find them afterwards."""

import errno
import json
import os
from pathlib import Path

import pytest
from test_hub import TINY

from sparsesum.base import hub
from sparsesum.base.errors import InputError
from sparsesum.corpus import download


@pytest.mark.parametrize(
    ("kind", "there", "chosen"),
    [
        ("model", ["model.safetensors", "pytorch_model.bin"], ["model.safetensors"]),
        ("model", ["pytorch_model.bin", "flax_model.msgpack"], ["pytorch_model.bin"]),
        ("model", ["model-1-of-1.safetensors", "model.bin"], ["model-1-of-1.safetensors"]),
        ("encoder", ["model.safetensors", "dict.txt"], ["dict.txt", "model.safetensors"]),
        ("encoder", ["pytorch_model.bin"], None),
        (
            "encoder",
            ["0_Transformer/config.json", "0_Transformer/model.safetensors", "modules.json"],
            ["0_Transformer/config.json", "0_Transformer/model.safetensors", "modules.json"],
        ),
        (
            "encoder",
            ["0_BERT/pytorch_model.bin", "0_BERT/vocab.txt", "modules.json"],
            None,
        ),
        ("encoder", ["2_Dense/model.safetensors", "modules.json"], None),
        ("model", ["sub/model.safetensors", "tf_model.h5"], None),
        ("corpus", ["test.jsonl", "data/test-0.parquet"], ["test.jsonl"]),
        ("corpus", ["data/us_test-0.parquet"], ["data/us_test-0.parquet"]),
        ("corpus", ["data/latest-0.parquet", "test-x/a.parquet"], None),
        ("corpus", ["3.0.0/test-0.parquet", "3.0.0/train-0.parquet"], ["3.0.0/test-0.parquet"]),
        (
            "corpus",
            ["a/test/0.csv", "a/test/1.csv", "a/test/b/2.csv"],
            ["a/test/0.csv", "a/test/1.csv"],
        ),
        (
            "corpus",
            ["ca_test_data_final_OFFICIAL.jsonl", "us_test_data_final_OFFICIAL.jsonl"],
            ["us_test_data_final_OFFICIAL.jsonl"],
        ),
        ("corpus", ["test.jsonl.gz", "test.txt"], ["test.jsonl.gz"]),
        (
            "corpus",
            ["test/cache-1.arrow", "test/data-0.arrow", "test/state.json"],
            ["test/data-0.arrow"],
        ),
        ("corpus", ["test/cache-1.arrow", "test/state.json"], None),
        ("corpus", ["a/b/test.jsonl", "test", "test.jsonl.md"], None),
    ],
)
def test_which_files_are_chosen(kind, there, chosen):
    if chosen is not None:
        assert download.choose(kind, there, ["test"]) == chosen
        return
    with pytest.raises(InputError, match=rf"no (weights|split 'test')[ ;].*there is {there[0]}"):
        download.choose(kind, there, ["test"])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(monkeypatch, number):
    def full(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(download.HfApi, "repo_info", full)
    with pytest.raises(InputError, match="no space left for it in .*set HF_HOME to a folder"):
        download.fetch(**TINY)


def test_progress_is_told_in_the_log(caplog, monkeypatch):
    caplog.set_level("INFO")
    bars = [
        download._Lines(total=0, name=name, disable=None)
        for name in ("huggingface_hub.snapshot_download", "another")
    ]
    for bar in bars:
        bar.total += 250_000_000
        bar.progress.every = 0
        bar.update(100_000_000)
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "fetching: 100 of 250 MB"
    ]


def test_sources_on_this_disk_and_on_the_hub(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert hub.is_hub("facebook/opt-125m")
    for folder in ("resources/models/opt", "./models", "/data", "~/opt", "opt", "a/b/", "../b"):
        assert not hub.is_hub(folder)
    (tmp_path / "facebook" / "opt-125m").mkdir(parents=True)
    assert not hub.is_hub("facebook/opt-125m")
    assert hub.folder("facebook/opt-125m") == Path("facebook/opt-125m")
    with pytest.raises(InputError, match="source './none': no such folder, and no Hub id"):
        hub.folder("./none")


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"short")])
def test_a_cache_that_was_emptied_or_changed(tmp_path: Path, change):
    (tmp_path / "a.bin").write_bytes(b"content")
    manifest = tmp_path / "m.json"
    manifest.write_text(
        json.dumps({"folder": str(tmp_path), "files": {"a.bin": {"bytes": 7, "sha256": ""}}})
    )
    assert hub.folder("acme/tiny", [str(manifest)]) == tmp_path
    change(tmp_path / "a.bin")
    with pytest.raises(InputError, match=rf"a.bin: fetched once.*delete {manifest} and run"):
        hub.folder("acme/tiny", [str(manifest)])
