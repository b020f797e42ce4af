"""The audit as a target, and the published protocol as a switch."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import time

import pytest
import yaml

from tests.workflow.project import ROOT, SNAKEMAKE


def run(folder, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    fixed = ("--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--nocolor")
    return SNAKEMAKE.run([*fixed, *arguments], folder, os.environ | environment)


def read(path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("preset", ["paper", "config"])
def test_counts_are_audited_whatever_the_preset(tmp_path, preset):
    """Without weights and without a network; the same bytes."""
    start = time.monotonic()
    done = run(
        tmp_path,
        *(
            "--configfile",
            str(ROOT / "config" / f"{preset}.yaml"),
            "--",
            "results/audit_counts.csv",
        ),
        HF_ENDPOINT="http://localhost:9",
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert time.monotonic() - start < 120  # nothing is fetched, nothing trained
    results = tmp_path / "results"
    lines = read(results / "audit_counts.csv")
    assert len(lines) == 28
    assert [line["verdict"] for line in lines].count("explained") == 22
    assert not (results / "fetch").exists()
    assert "83,656,704" in (results / "audit_counts.md").read_text()
    assert hashlib.sha256((results / "audit_counts.csv").read_bytes()).hexdigest()[:8] == "e3c7d8e6"
    assert hashlib.sha256((results / "audit_counts.md").read_bytes()).hexdigest()[:8] == "d0bd7dff"


def test_a_preset_whose_rows_were_not_published_says_so(tmp_path):
    done = run(tmp_path, "--", "results/audit.csv")
    assert done.returncode != 0
    assert "audit: error: preset embedded repeats no published row" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "results" / "table3.csv").exists()
    (tmp_path / "none.yaml").write_text("published: null\n")
    for target in ("results/audit_counts.csv", "results/audit.csv", "results/plots/published.svg"):
        done = run(tmp_path, "--configfile", "none.yaml", "--", target)
        assert done.returncode != 0 and "Traceback" not in done.stdout
        # Where it fails, and once more at the end.
        (said,) = {line.strip() for line in done.stdout.splitlines() if ": error: " in line}
        assert "published" in said


def test_what_is_wrong_with_published_is_told_before_anything_is_made(tmp_path):
    for text, said in {
        "published: gone": "key 'published': no file gone/table3.csv; allowed is null, or a folder",
        "models: {opt-125m-mini: {stands_for: opt-1}}": (
            "key 'models.opt-125m-mini.stands_for': 'opt-1' was not published; allowed: null, opt-1"
        ),
    }.items():
        (tmp_path / "mine.yaml").write_text(text)
        done = run(tmp_path, "--configfile", "mine.yaml", "--", "results/table3.csv")
        assert done.returncode != 0 and said in done.stdout and "Traceback" not in done.stdout
        assert not (tmp_path / "results").exists()


def test_a_run_that_is_its_own_publication_is_reproduced(project):
    """All but the times, which are never the same quantity."""
    folder = project.folder / "published"
    folder.mkdir()
    rows = read(project.folder / "results" / "table3.csv")
    for row in rows:
        row |= {key: "" for key in ("pruner", "sparsity") if row[key] == "none"}
    with (folder / "table3.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    shutil.copy(ROOT / "resources" / "paper" / "model_cards.csv", folder)
    for name, source in project.models.items():
        shutil.copy(source / "config.json", folder / f"{name}.json")
    project.use(project.models, published="published")
    done = project.snakemake("results/audit.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    lines = read(project.folder / "results" / "audit.csv")
    assert len(lines) == 7 * len(rows)
    assert {line["verdict"] for line in lines if line["column"] != "inference_seconds"} == {
        "reproduced"
    }
    assert "reproduced" in (project.folder / "results" / "audit.md").read_text()


def test_ours_against_published_is_drawn_where_a_model_stands_for_a_published_one(project):
    plot = "results/plots/published"
    assert project.planned() == set()  # neither named so nor standing for one
    project.use(project.models)
    overlay = yaml.safe_load((project.folder / "tiny.yaml").read_text())
    overlay["models"]["tiny-pre"]["stands_for"] = "opt-125m"
    (project.folder / "tiny.yaml").write_text(yaml.safe_dump(overlay))
    assert project.planned() == {f"{plot}.svg", f"{plot}.csv"}
    done = project.snakemake()
    assert done.returncode == 0, done.stdout[-3000:]
    # Of the tiny grid's rows those that were published of opt-125m.
    lines = read(project.folder / f"{plot}.csv")
    assert [(x["pruner"], x["sparsity"], x["split"], x["published"]) for x in lines] == [
        ("none", "none", "test", "0.0782"),
        ("none", "none", "validation", "0.1652"),
        ("none", "none", "test", "0.4239"),
        ("none", "none", "validation", "0.2338"),
        ("wanda", "2:4", "test", "0.1384"),
        ("wanda", "2:4", "validation", "0.2096"),
    ]
    assert {line["published_model"] for line in lines} == {"opt-125m"}
    told = (project.folder / f"{plot}.svg").read_text()
    assert "tiny-pre for opt-125m" in told and "tiny-post" not in told


def test_a_calibration_set_from_a_text_of_its_own(project):
    """Wanda's and SparseGPT's rows are made again; magnitude's, which looks at none, is not."""
    (project.folder / "mine").mkdir()
    lines = [json.dumps({"text": f"Sec. {n}. A bill about roads. " * 12}) for n in range(9)]
    (project.folder / "mine" / "roads.jsonl").write_text("\n".join(lines) + "\n")
    text = {"source": "mine", "revision": None, "file": "roads.jsonl"}
    project.use(project.models, calibration={"text": text})
    planned = project.planned()
    assert any("/prune/bills/tiny-pre/wanda_2of4/" in path for path in planned)
    assert not any("magnitude" in path for path in planned)
    done = project.snakemake("results/calibration/bills/tiny-pre.safetensors")
    assert done.returncode == 0, done.stdout[-3000:]
    text = {"source": "mine", "revision": None, "file": "gone.jsonl"}
    project.use(project.models, calibration={"text": text})
    done = project.snakemake("results/calibration/bills/tiny-pre.safetensors")
    assert done.returncode != 0 and "gone.jsonl" in done.stdout


@pytest.mark.long("measures and generates half of the rows again")
def test_adapters_on_the_dense_base_leave_no_zeros_and_retrain_nothing(project):
    """As the authors' notebook scored its pruned rows (finding 3 of the audit)."""
    before = project.files()
    cost = "results/measure/bills/tiny-pre/{}.json"
    pruned = json.loads((project.folder / cost.format("wanda_2of4/qlora")).read_text())
    project.use(project.models, adapter_base="dense")
    done = project.snakemake("results/table3.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    dense = json.loads((project.folder / cost.format("wanda_2of4/qlora_on_dense")).read_text())
    assert dense["parameters"] == pruned["parameters"]
    weights = 2 * (4 * 32 * 32 + 2 * 32 * 64)
    assert dense["nonzero_parameters"] - pruned["nonzero_parameters"] > 0.45 * weights
    table = read(project.folder / "results" / "table3.csv")
    row = next(
        line for line in table if line["pruner"] == "wanda" and line["finetuning"] == "qlora"
    )
    assert int(row["nonzero_parameters"]) == dense["nonzero_parameters"]
    after = project.files()
    kept = (
        "/full/",
        "/prune/",
        "/qlora/bills/tiny-pre/wanda",
        "/wanda_2of4/qlora/",
        "/wanda_2of4/qlora.",
    )
    for path, state in before.items():
        if any(part in path for part in kept) and "/logs/" not in path:
            assert after[path] == state, path
