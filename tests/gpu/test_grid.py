"""The paper's 14 rows through Snakemake on a GPU, with small models of both shapes."""

import csv

import torch

from sparsesum.models import stand_ins
from tests.workflow.project import ROOT, Project


def test_fourteen_rows(tmp_path, opt_folders):
    encoder = tmp_path / "encoder"
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    words = ROOT / "resources" / "models" / "opt-125m-mini" / "tokenizer.json"
    stand_ins.roberta(words, encoder, **shape, intermediate_size=64)
    grid = (ROOT / "config" / "paper_grid.tsv").read_text()
    grid = grid.replace("opt-125m", "tiny-pre").replace("opt-350m", "tiny-post")
    (tmp_path / "p").mkdir()
    project = Project(tmp_path / "p")
    gpu = {"precision": "fp16", "batch_size": "auto", "checkpointing": "auto"}
    project.use(
        {"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]},
        grid,
        device="cuda",
        full={"precision": "bf16", "batch_size": "auto"},
        qlora=gpu,
        generate={"batch_size": "auto"},
        measure={"repeats": 2},
        score={"encoder": str(encoder), "sha256": None, "layer": 2},
    )
    # Starting takes most of a job here, and times are of no use: all share the card and the cores.
    rules = ("full", "qlora", "generate", "measure")
    together = ["--set-threads", *(f"{rule}=1" for rule in rules)]
    together += [
        "--set-resources",
        *(f"{rule}:gpu_mb=3000" for rule in (*rules, "prune", "examples")),
    ]
    done = project.snakemake("--cores", "16", *together, "--", "results/table3.csv")
    assert done.returncode == 0, done.stdout[-5000:]
    with (project.folder / "results" / "table3.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14
    card = torch.cuda.get_device_name()
    assert {row["device"] for row in rows} == {card}
    assert all(float(row["test_rouge"]) >= 0 and row["test_bertscore"] != "" for row in rows)
    assert all(float(row["peak_memory_mb"]) > 1 for row in rows)
    pruned = [row for row in rows if row["pruner"] != "none"]
    assert len(pruned) == 8
    for row in pruned:
        whole = next(r for r in rows if r["model"] == row["model"] and r["finetuning"] == "qlora")
        assert int(row["nonzero_parameters"]) < int(whole["nonzero_parameters"])
    unpruned = [row for row in rows if row["finetuning"] == "qlora" and row["pruner"] == "none"]
    for row in unpruned:
        assert float(row["ms_per_token_int8"]) > float(row["ms_per_token_dense"])
        assert float(row["ms_per_token_transformers"]) > float(row["ms_per_token_dense"])
