"""A way of fine-tuning is a file, a section of the config and rows of the grid; nothing else."""

import csv
import json

import pytest
import yaml

from sparsesum.experiment import patterns
from sparsesum.models import checkpoints, linears, packing
from sparsesum.pruning import checks

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


SPARSE = "tiny-pre\tsparse_qlora\tnone\tnone\ntiny-pre\tsparse_qlora\twanda\t2:4\n"


@pytest.mark.long("two rows through all stages")
def test_sparse_qlora_keeps_zeros_in_a_row_that_is_one_packed_model(project):
    with (project.folder / "grid.tsv").open("a") as grid:
        grid.write(SPARSE)
    others = {path: at for path, at in project.files().items() if "/tiny-" in path}
    perplexity = "results/perplexity/bills/tiny-pre/wanda_2of4/sparse_qlora.json"
    done = project.snakemake("all", "results/claims.csv", "results/comparisons.csv", perplexity)
    assert done.returncode == 0, done.stdout[-5000:]
    assert {path: project.files()[path] for path in others} == others  # no other row ran again
    results = project.folder / "results"
    made = results / "sparse_qlora/bills/tiny-pre/wanda_2of4"
    assert {path.name for path in made.iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("costs.json", "curve.csv", "provenance.json"),
    }
    before = checkpoints.state(results / "prune/bills/tiny-pre/wanda_2of4")
    after = packing.read(made / "model.safetensors")
    checks.check(after, patterns.parse("2:4"))
    names = linears.weights(before)
    zeros = checks.check_kept(before, after)
    assert zeros == sum(before[name].numel() for name in names) // 2

    of = results / "sparsity/bills/tiny-pre/wanda_2of4/sparse_qlora.csv"
    lines = [line for line in csv.DictReader(of.open(newline="")) if line["linear"]]
    assert {line["tensor"]: int(line["zeros"]) for line in lines} == {
        name: int((after[name] == 0).sum()) for name in names
    }
    costs = results / "measure/bills/tiny-pre"
    names = ("dense/base", "dense/sparse_qlora", "wanda_2of4/sparse_qlora", "wanda_2of4/qlora")
    base, dense, pruned, beside = (
        json.loads((costs / f"{name}.json").read_text()) for name in names
    )
    assert dense["parameters"] == pruned["parameters"] == base["parameters"]
    assert zeros <= pruned["parameters"] - pruned["nonzero_parameters"] < zeros * 1.1
    assert pruned["size_mb"] < dense["size_mb"] and pruned["size_mb"] < beside["size_mb"]
    assert dense["ms_per_token"].keys() == {"dense", "int8", "transformers"}
    rows = list(csv.DictReader((results / "table3.csv").open(newline="")))
    rows = [row for row in rows if row["finetuning"] == "sparse_qlora"]
    assert [(row["pruner"], row["engine"]) for row in rows] == [
        ("none", "dense"),
        ("wanda", "dense"),
    ]
    for plot in PLOTS:
        assert "sparse_qlora" in (results / f"plots/{plot}.csv").read_text(), plot


def test_a_method_that_no_row_has_reruns_nothing(project):
    project.use(project.models, sparse_qlora={"rank": 8, "epochs": 3})
    assert project.planned() == set()


def test_a_merged_row_has_no_adapter_to_put_on_the_dense_base(project):
    project.use(project.models, adapter_base="dense")
    with (project.folder / "grid.tsv").open("a") as grid:
        grid.write(SPARSE)
    planned = project.planned()
    assert "results/score/bills/tiny-pre/wanda_2of4/sparse_qlora.json" in planned
    assert not [path for path in planned if "sparse_qlora_on_dense" in path]


def test_adapters_with_dropout_that_must_not_have_it_are_refused_before_any_job(project):
    project.use(project.models, sparse_qlora={"dropout": 0.05})
    done = project.snakemake("--dry-run")
    assert done.returncode != 0
    assert "key 'sparse_qlora.dropout': 0.05 is greater than the maximum of 0" in done.stdout
