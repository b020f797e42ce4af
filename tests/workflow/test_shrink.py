"""Shrunk checkpoints in the DAG: made step by step, pruned and fine-tuned, compared in a table."""

import csv
import json

import pytest
from safetensors import safe_open
from transformers import OPTForCausalLM

HEAD = "model\tfinetuning\tshrink\tpruner\tsparsity\n"
ROWS = HEAD + "".join(
    "\t".join(cells) + "\n"
    for cells in [
        ["tiny-pre", "full", "none", "none", "none"],
        ["tiny-pre", "full", "layers_50%", "none", "none"],
        ["tiny-pre", "full", "random_layers_50%", "none", "none"],
        ["tiny-post", "qlora", "layers_50%+neurons_50%+vocabulary_400", "wanda", "2:4"],
        ["tiny-post", "base", "random_neurons_50%", "none", "none"],
    ]
)
TABLE = "results/table_compression.csv"
LAST = "layers_50+neurons_50+vocabulary_400"


@pytest.fixture
def compressed(project):
    """The finished project with rows to compress."""
    return with_rows(project, ROWS)


def with_rows(project, rows: str):
    (project.folder / "rows.tsv").write_text(rows)
    with (project.folder / "tiny.yaml").open("a") as overlay:
        overlay.write("compression: rows.tsv\n")
    return project


@pytest.mark.long("five rows through all stages")
def test_rows_are_shrunk_step_by_step_and_compared(compressed):
    done = compressed.snakemake(TABLE, "results/plots/compression.svg")
    assert done.returncode == 0, done.stdout[-5000:]
    folder = compressed.folder / "results"
    lines = list(csv.DictReader((compressed.folder / TABLE).open(newline="")))
    assert [line["shrink"] for line in lines] == [
        row.split("\t")[2] for row in ROWS.splitlines()[1:]
    ]
    whole, half = (int(line["parameters"]) for line in lines[:2])
    assert 0 < half < whole and lines[1]["parameters_share"] == str(round(half / whole, 4))
    assert lines[1]["control"] == lines[2]["test_rouge"]
    steps = folder / "shrink" / "bills" / "tiny-post"
    shapes = {}
    for name in ("layers_50", "layers_50+neurons_50", LAST):
        model, found = OPTForCausalLM.from_pretrained(steps / name, output_loading_info=True)
        assert not any(found[key] for key in ("missing_keys", "unexpected_keys"))
        config = model.config
        shapes[name] = (config.num_hidden_layers, config.ffn_dim, config.vocab_size)
    assert shapes["layers_50"][0] == 1 and shapes["layers_50"][1:] == (64, 512)
    assert shapes["layers_50+neurons_50"] == (1, 32, 512)
    assert shapes[LAST] == (1, 32, 400)
    # Pruned behind it, in its own tokens.
    pruned = folder / "prune" / "bills" / "tiny-post" / f"{LAST}+wanda_2of4"
    with safe_open(pruned / "model.safetensors", framework="pt") as tensors:
        weight = tensors.get_tensor("model.decoder.layers.0.fc1.weight")
    assert weight.shape == (32, 32) and (weight == 0).float().mean() == 0.5
    assert (folder / "tokens/bills/tiny-post+vocabulary_400/train.parquet").exists()
    record = json.loads((pruned / "provenance.json").read_text())
    assert "results/calibration/bills/tiny-post+vocabulary_400.safetensors" in record["inputs"]
    assert "layers_50%" in (folder / "plots/compression.svg").read_text()


def test_a_change_of_a_kind_reruns_its_own_rows(compressed):
    planned = compressed.planned(TABLE)
    assert f"results/shrink/bills/tiny-post/{LAST}/model.safetensors" in planned
    kinds = compressed.folder / "workflow/scripts/sparsesum/shrinking/kinds"
    done = compressed.snakemake(
        "results/shrink/bills/tiny-post/layers_50+neurons_50/model.safetensors",
        "results/shrink/bills/tiny-pre/random_layers_50/model.safetensors",
    )
    assert done.returncode == 0, done.stdout[-3000:]
    targets = [
        "results/shrink/bills/tiny-post/layers_50/model.safetensors",
        "results/shrink/bills/tiny-post/layers_50+neurons_50/model.safetensors",
        "results/shrink/bills/tiny-pre/random_layers_50/model.safetensors",
    ]
    assert compressed.planned(*targets) == set()
    file = kinds / "neurons.py"
    file.write_text(file.read_text() + "\n\ndef unused():\n    return 1\n")
    made = compressed.planned(*targets)
    assert {path.split("/")[4] for path in made} == {"layers_50+neurons_50"}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["tiny-pre", "full", "layers_5%", "none", "none"], "layer"),
        (["tiny-pre", "full", "neurons_5%", "none", "none"], "neuron"),
        (["tiny-pre", "full", "vocabulary_200", "none", "none"], "bytes"),
        (["tiny-pre", "full", "vocabulary_513", "none", "none"], "512"),
    ],
)
def test_what_leaves_nothing_is_refused_in_one_line(project, cells, said):
    with_rows(project, HEAD + "\t".join(cells) + "\n")
    name = cells[2].rstrip("%")
    done = project.snakemake(f"results/shrink/bills/tiny-pre/{name}/model.safetensors")
    assert done.returncode == 1
    (line,) = {line.strip() for line in done.stdout.splitlines() if ": error: " in line}
    assert line.startswith(f"shrink tiny-pre {name}: error: ") and said in line
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["tiny-pre", "full", "layers_0%", "none", "none"], "rows.tsv, line 2: shrink 'layers_0%'"),
        (
            ["tiny-pre", "full", "heads_50%", "none", "none"],
            "unknown kind 'heads'; allowed: layers,",
        ),
        (["tiny-pre", "magic", "none", "none", "none"], "rows.tsv, line 2: unknown finetuning"),
    ],
)
def test_a_fault_in_the_rows_is_told_before_the_first_job(project, cells, said):
    with_rows(project, HEAD + "\t".join(cells) + "\n")
    done = project.snakemake("--dry-run")
    assert done.returncode == 1 and said in done.stdout
    assert "Traceback" not in done.stdout


def test_an_option_that_a_kind_has_not_is_refused(project):
    with (project.folder / "tiny.yaml").open("a") as overlay:
        overlay.write("shrinking: {layers: {damping: 1.0}}\n")
    done = project.snakemake("--dry-run")
    assert done.returncode == 1 and "unknown key 'shrinking.layers.damping'" in done.stdout
