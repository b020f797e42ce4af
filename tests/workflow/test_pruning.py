"""results/table_pruning.csv and its plot: made for real, and again at the cost of a change."""

import csv

import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from tests.workflow.project import GRID
from tests.workflow.test_bad_input import refused
from tests.workflow.test_reruns import change, rules

TABLE, PLOT = "results/table_pruning.csv", "results/plots/pruning.svg"
MADE = {TABLE, "results/table_pruning.md", "results/table_pruning.html", PLOT}
GRID_OF_ONE = "\n".join(GRID.splitlines()[:5]) + "\n"
"""The rows of tiny-pre: a model is enough, and half of the time."""
PAIR = {"pruners": ["magnitude", "wanda"], "sparsities": ["2:4"]}
SAID = "Pruners and patterns, preset tiny: results/table_pruning.md and .csv"
LIBRARY = "workflow/scripts/sparsesum"


@pytest.mark.long("two grids and nine plans")
def test_the_pruning_grid_of_a_finished_project(project):
    def use(**more) -> None:
        project.use(project.models, GRID_OF_ONE, pruning_grid=PAIR, **more)

    use()
    project.snakemake("all")  # of the smaller grid
    assert project.planned() == set()  # no other target asks for it
    before = project.files()
    # These jobs with all their imports, the others without.
    pruned = "bills/tiny-pre/wanda_2of4"
    jobs = (f"results/reconstruct/{pruned}.csv", f"results/perplexity/{pruned}/qlora.json")
    done = project.command(*jobs)
    assert done.returncode == 0, done.stdout[-5000:]
    done = project.snakemake(TABLE, PLOT)
    assert done.returncode == 0, done.stdout[-5000:]
    assert SAID in done.stdout.splitlines()
    assert project.planned(TABLE, PLOT) == set()
    after = project.files()
    # What the grid had made is taken as it is.
    assert {path: after[path] for path in before} == before
    assert not any("/measure/" in path for path in after.keys() - before.keys())

    with (project.folder / TABLE).open() as file:
        lines = list(csv.DictReader(file))
    assert [(line["model"], line["pruner"], line["sparsity"]) for line in lines] == [
        ("tiny-pre", "none", "none"),
        ("tiny-pre", "magnitude", "2:4"),
        ("tiny-pre", "wanda", "2:4"),
    ]
    for line in lines:
        pruned = line["pruner"] != "none"
        assert float(line["zeros"]) == (0.5 if pruned else 0)
        assert (float(line["reconstruction_error"]) > 0.1) == pruned
        for stage in ("pruned", "qlora"):
            names = (f"perplexity_{stage}_low", f"perplexity_{stage}", f"perplexity_{stage}_high")
            low, value, high = (float(line[name]) for name in names)
            assert 1 < low < value < high
            # Random weights: a uniform choice among the vocabulary's 512 would be 512.
            assert 100 < value < 5000 and 1 < float(line[f"summary_perplexity_{stage}"]) < 5000
        assert int(line["heldout_tokens"]) == 4 * 63
        assert line["preset"] == "tiny"
        # Two steps of training on summaries show in the summaries' perplexity.
        stages = (float(line[f"summary_perplexity_{stage}"]) for stage in ("qlora", "pruned"))
        assert next(stages) < next(stages)
    assert "holds for" in (project.folder / "results/table_pruning.md").read_text()

    tokenizer = Tokenizer.from_file(str(project.folder / "results/dense/tiny-pre/tokenizer.json"))
    rows = load_file(project.folder / "results/heldout/bills/tiny-pre.safetensors")["input_ids"]
    assert rows.shape == (4, 64)
    text = tokenizer.decode(rows.reshape(-1).tolist(), skip_special_tokens=False)
    bills = (project.folder / "results/corpus/bills/test.jsonl").read_text()
    told = text.split("</s>")[1:-1]
    # As JSON writes them, for the test is whether they are there word for word.
    assert told and all(bill.replace("\n", "\\n").replace('"', '\\"') in bills for bill in told)
    assert "### " not in text

    # A change is paid for by what it touches.
    use(score={"resamples": 77})
    assert rules(project.planned(TABLE, PLOT)) == {"score", "perplexity", "plots"}
    use(heldout={"seed": 1})
    stages = {"heldout", "reconstruct", "likelihood", "perplexity", "plots"}
    assert rules(project.planned(TABLE, PLOT)) == stages
    use()

    change(project, f"{LIBRARY}/pages/plot_pruning.py")
    assert project.planned(TABLE, PLOT) == {PLOT}
    change(project, f"{LIBRARY}/pages/table_pruning.py")
    assert project.planned(TABLE, PLOT) == MADE
    assert project.planned() == set()  # neither table3 nor its plots
    done = project.command(TABLE, PLOT)
    assert done.returncode == 0, done.stdout[-3000:]
    changed = {path for path, state in project.files().items() if after.get(path) != state}
    kept = ("results/logs", "results/benchmarks")
    changed = {path for path in changed if not path.endswith("provenance.json")}
    assert {path for path in changed if not path.startswith(kept)} <= MADE
    assert project.planned(TABLE, PLOT) == set()

    change(project, f"{LIBRARY}/pruning/pruners/wanda.py")
    planned = project.planned(TABLE, PLOT)
    assert planned >= MADE and all("/wanda_2of4" in path for path in planned - MADE)
    stages = "prune qlora generate examples grounding score reconstruct likelihood perplexity plots"
    assert rules(planned) == set(stages.split())


def test_a_run_of_another_target_says_nothing_of_it(project):
    (project.folder / "results/table_pruning.md").write_text("# Pruners and patterns\n")
    change(project, f"{LIBRARY}/pages/table3.py")
    done = project.snakemake("results/table3.csv")
    assert done.returncode == 0 and "results/table3.md" in done.stdout, done.stdout[-3000:]
    assert "table_pruning" not in done.stdout


def test_a_fault_in_the_pruning_grid(project):
    project.use(project.models, pruning_grid={"pruners": ["magic"]})
    refused(project, "key 'pruning_grid.pruners': unknown pruner 'magic'; allowed: magnitude,")
    project.use(project.models, pruning_grid={"sparsities": ["2:4", "3:2"]})
    refused(project, "key 'pruning_grid.sparsities': sparsity '3:2' is no pattern: allowed is")


def test_held_out_text_that_is_too_long(project):
    project.use(project.models, heldout={"sequences": 999})
    said = "heldout tiny-pre: error: heldout asks for 999 sequences of 64 tokens = 63,936, the test"
    refused(project, said, "results/heldout/bills/tiny-pre.safetensors")
