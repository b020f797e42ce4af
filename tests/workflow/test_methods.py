"""A way of fine-tuning is a file, a section of the config and rows of the grid; nothing else."""

import csv
import json

import pytest
import yaml

LORA = '''\
"""LoRA: an adapter beside the checkpoint as it is, in float32 (arXiv 2106.09685)."""

from sparsesum.finetuning import adapters
from sparsesum.finetuning.training import Trainable
from sparsesum.models import checkpoints

OPTIONS = ("rank", "alpha", "dropout", "target_modules")


def load(checkpoint, device, settings):
    return Trainable(checkpoints.load(checkpoint).to(device))


def adapt(model, base, device, settings):
    adapted = adapters.beside(model.requires_grad_(False), settings.options)
    return Trainable(adapted, adapters=adapters)
'''
ROWS = "tiny-pre\tlora\tnone\tnone\ntiny-pre\tlora\twanda\t2:4\n"
PLOTS = ["quality_size", "quality_time", "heat_map", "training_curves", "sparsity_layers"]


@pytest.fixture
def lora(project):
    """A finished project to which LoRA was added."""
    methods = project.folder / "workflow/scripts/sparsesum/finetuning/methods"
    (methods / "lora.py").write_text(LORA)
    with (project.folder / "grid.tsv").open("a") as grid:
        grid.write(ROWS)
    return project


@pytest.mark.long("two rows through all stages")
def test_a_new_method_gives_rows_and_breaks_no_plot(lora):
    overlay = yaml.safe_load((lora.folder / "tiny.yaml").read_text())
    options = {"rank": 4, "alpha": 8, "dropout": 0.0, "target_modules": ["q_proj", "v_proj"]}
    config = yaml.safe_load((lora.folder / "config/config.yaml").read_text())
    overlay |= {"lora": config["full"] | overlay["full"] | options}
    (lora.folder / "tiny.yaml").write_text(yaml.safe_dump(overlay))
    done = lora.snakemake()
    assert done.returncode == 0, done.stdout[-5000:]
    rows = list(csv.DictReader((lora.folder / "results/table3.csv").open(newline="")))
    assert [row["pruner"] for row in rows if row["finetuning"] == "lora"] == ["none", "wanda"]
    costs = lora.folder / "results/measure/bills/tiny-pre"
    base, dense, pruned = (
        json.loads((costs / f"{of}.json").read_text())
        for of in ("dense/base", "dense/lora", "wanda_2of4/lora")
    )
    # Layers, Linears, rank, inputs and outputs.
    assert dense["parameters"] - base["parameters"] == 2 * 2 * 4 * (32 + 32)
    linears = 2 * (4 * 32 * 32 + 2 * 32 * 64)
    assert dense["nonzero_parameters"] - pruned["nonzero_parameters"] == linears // 2
    assert {dense["engine"], pruned["engine"], *pruned["ms_per_token"]} == {"dense"}
    for plot in PLOTS:
        assert "lora" in (lora.folder / f"results/plots/{plot}.csv").read_text(), plot


def test_an_option_that_a_method_does_not_have(lora):
    config = yaml.safe_load((lora.folder / "config/config.yaml").read_text())
    overlay = yaml.safe_load((lora.folder / "tiny.yaml").read_text())
    overlay |= {"lora": config["full"] | overlay["full"] | {"rank": 4, "drpout": 0.5}}
    (lora.folder / "tiny.yaml").write_text(yaml.safe_dump(overlay))
    done = lora.snakemake("--dry-run")
    assert done.returncode != 0
    said = "key 'lora': unknown option 'drpout'; allowed: rank, alpha, dropout, target_modules"
    assert said in done.stdout


def test_a_method_without_a_section_is_named_with_what_it_needs(lora):
    done = lora.snakemake("--dry-run")
    assert done.returncode != 0
    assert "key 'lora': missing, and rows of grid.tsv are fine-tuned by it" in done.stdout
