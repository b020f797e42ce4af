"""After a complete run: a change is paid for by what it touches, and by nothing else."""

import os
import random
import shutil
import time

import pytest

from tests.workflow.project import GRID, is_provenance


def rules(planned: set[str]) -> set[str]:
    """The stages (folders below results/) of planned outputs."""
    return {path.split("/")[1] for path in planned if path.count("/") > 1}


LIBRARY = "workflow/scripts/sparsesum"


def change(project, path: str, old: str = "", new: str = "") -> None:
    """Change a source file, now; without `old` it gets a line more, which may decide something."""
    file = project.folder / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1) if old else text + "\nCHANGED = 1\n")


PLOTS = "quality_size quality_time heat_map training_curves sparsity_layers".split()
TABLES = {"results/table3.csv", "results/table3.md", "results/table3.html"}
TABLES |= {f"results/plots/{name}.{kind}" for name in PLOTS for kind in ("svg", "csv")}


def plots(planned: set[str]) -> list[str]:
    """The plots among planned outputs."""
    return [name for name in PLOTS if f"results/plots/{name}.svg" in planned]


def only(planned: set[str], *words: str) -> None:
    """All planned outputs are the tables' or have one of the words in their path."""
    others = planned - TABLES
    assert others and all(any(word in path for word in words) for path in others), others


def test_nothing_to_do(project):
    assert project.planned() == set()


def test_an_edited_pruner_reruns_its_rows_and_the_tables_alone(project):
    change(project, "workflow/scripts/sparsesum/pruning/pruners/wanda.py")
    planned = project.planned()
    only(planned, "wanda")
    assert rules(planned) == {
        "prune", "qlora", "full", "generate", "examples", "grounding", "score", "measure",
        "sparsity", "plots",
    }  # fmt: skip
    assert plots(planned) == PLOTS
    assert "results/table3.csv" in planned


def test_words_and_comments_rerun_nothing(project):
    """Nor does what a job says, how it is timed, recorded and locked; a constant does."""
    change(project, f"{LIBRARY}/jobs/job.py", "this is a bug of ours", "this is our bug")
    for module in ("jobs/job", "jobs/provenance", "jobs/stopwatch"):
        change(project, f"{LIBRARY}/{module}.py")
    change(project, "workflow/scripts/runner.py")
    change(project, f"{LIBRARY}/__init__.py", "Compressing", "We compress")
    for path in sorted((project.folder / LIBRARY).rglob("*.py")):
        path.write_text(path.read_text() + "\n# A comment.\n")
    change(project, f"{LIBRARY}/pruning/layerwise.py", "resuming from layer", "resuming at layer")
    change(project, f"{LIBRARY}/base/files.py", "Files that appear whole", "Files appear whole")
    assert project.planned() == set()
    change(project, f"{LIBRARY}/pruning/layerwise.py", '"cpu": 2048', '"cpu": 1024')
    assert {"prune", "qlora", "full", "generate"} <= rules(project.planned())


def test_code_that_changed_is_seen_in_a_copy_of_results_alone(project):
    """Snakemake's own notes do not travel with results/; the records do."""
    counts = "results/audit_counts.csv"  # leads to no source of data
    assert project.command(counts).returncode == 0
    shutil.rmtree(project.folder / ".snakemake")
    assert "Nothing to be done" in project.snakemake(counts, "--dry-run").stdout
    change(project, f"{LIBRARY}/evidence/audit_counts.py")
    assert "This was a dry-run" in project.snakemake(counts, "--dry-run").stdout
    change(project, f"{LIBRARY}/pruning/pruners/wanda.py")
    planned = project.planned()
    assert {"prune", "generate"} <= rules(planned)
    assert not any("magnitude" in path or "sparsegpt" in path for path in planned)


def test_a_touched_source_reruns_nothing(project):
    later = time.time() + 60
    for part in ("Snakefile", "workflow", "config", "profiles", "envs", "resources", "grid.tsv"):
        path = project.folder / part
        for file in [path, *path.rglob("*")]:
            if file.is_file():
                os.utime(file, (later, later))
    assert project.planned() == set()


LARGE = ("--max-checksum-file-size", "60000")
"""Has Snakemake know no checksum of checkpoints, as of those of the paper's models."""


def test_a_copy_with_times_in_any_order_reruns_nothing(project):
    times = random.Random(0)
    for file in sorted(project.folder.rglob("*")):
        if file.is_file():
            os.utime(file, (time.time() - times.randrange(10**6),) * 2)
    assert project.planned() == set()
    assert project.planned("all", *LARGE) == set()


def test_of_large_files_what_changed_counts_and_not_the_time(project):
    checkpoints = project.folder / "results" / "prune" / "bills" / "tiny-pre"
    for file in checkpoints.glob("*/model.safetensors"):
        file.touch()
    with (checkpoints / "magnitude_50" / "model.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    planned = project.planned("all", *LARGE)
    only(planned, "magnitude_50")
    assert {"qlora", "generate"} <= rules(planned)


def test_a_source_of_more_than_snakemakes_limit(project):
    """A hole of 101 MB that `dense` lists as an input and does not read."""
    source = project.folder / "source"
    shutil.copytree(project.models["tiny-pre"], source)
    with (source / "large.bin").open("wb") as file:
        file.truncate(101_000_000)
    project.use({"tiny-pre": source, "tiny-post": project.models["tiny-post"]})
    asked = "results/dense/tiny-pre/model.safetensors"
    done = project.snakemake(asked)
    assert done.returncode == 0, done.stdout[-3000:]
    (source / "large.bin").touch()
    again = project.snakemake("-n", asked)
    assert "changed: 1, 0.1 GB" in again.stdout and "Nothing to be done" in again.stdout
    with (source / "large.bin").open("r+b") as file:
        file.write(b"x")
    planned = project.snakemake("-n", asked).stdout
    assert f"Updated input files: {source}/large.bin\n" in planned


def test_a_new_row_costs_that_row_alone(project):
    project.use(project.models, GRID + "tiny-post\tqlora\twanda\t50%\n")
    planned = project.planned()
    # The pruned checkpoint is there: the full fine-tune of wanda 50 % made it.
    only(planned, "tiny-post/wanda_50")
    stages = "qlora generate examples grounding score measure sparsity plots"
    assert rules(planned) == set(stages.split())


def test_a_time_that_was_taken_beside_other_jobs_is_none_of_the_table(project):
    """A row that is not in the grid shares the machine; once it is, its time is a result."""
    row = "bills/tiny-post/wanda_50/full"
    costs = f"results/generate/{row}/costs.json"
    project.use(project.models, GRID.removesuffix("tiny-post\tfull\twanda\t50%\n"))
    done = project.snakemake(costs)
    assert done.returncode == 0 and project.planned(costs) == set(), done.stdout[-3000:]
    project.use(project.models)
    planned = project.planned()
    assert {costs, f"results/measure/{row}.json", "results/table3.csv"} <= planned
    assert not rules(planned) & {"prune", "full", "qlora"}


def test_another_number_of_resamples_trains_and_generates_nothing(project):
    project.use(project.models, score={"resamples": 77})
    planned = project.planned()
    assert rules(planned) == {"score", "plots"}
    assert plots(planned) == ["quality_size", "quality_time", "heat_map"]  # those of the table
    assert len({path for path in planned if "/score/" in path}) == 6


def test_a_changed_plot_remakes_that_plot_alone(project):
    for module, drawn in {
        "pages/sparsity_layers": ["sparsity_layers"],
        "pages/quality": ["quality_size", "quality_time", "sparsity_layers"],
        "pages/figures": PLOTS,
    }.items():
        change(project, f"workflow/scripts/sparsesum/{module}.py")
        planned = project.planned()
        assert rules(planned) == {"plots"} and plots(planned) == drawn
        assert "results/table3.csv" not in planned


def test_a_changed_count_of_zeros_redraws_their_plot_alone(project):
    change(project, "workflow/scripts/sparsesum/pruning/sparsity.py")
    planned = project.planned()
    assert rules(planned) == {"sparsity", "plots"} and plots(planned) == ["sparsity_layers"]


def test_a_changed_readme_or_report_caption_reruns_nothing(project):
    (project.folder / "README.md").write_text("new")
    change(project, "workflow/report/table3.rst")
    assert project.planned() == set()


def test_sparsegpts_damping_reruns_sparsegpts_rows_alone(project):
    project.use(project.models, pruners={"sparsegpt": {"damping": 0.02, "block": 128}})
    only(project.planned(), "sparsegpt")


def test_a_changed_adapter_rank_reruns_qlora_rows_alone(project):
    project.use(project.models, qlora={"rank": 8})
    planned = project.planned()
    only(planned, "qlora")
    assert "prune" not in rules(planned)


def test_changed_metrics_do_not_generate_again(project):
    change(project, "workflow/scripts/sparsesum/scoring/metrics/rouge/rouge.py")
    assert rules(project.planned()) == {"examples", "score", "plots"}


def test_another_look_at_facts_does_not_run_the_encoder(project):
    change(project, "workflow/scripts/sparsesum/scoring/facts.py")
    planned = project.planned("all", "results/browse.html")
    assert rules(planned) == {"grounding", "score", "plots"}
    assert {"results/browse.html", "results/table3.csv"} <= planned


def test_a_changed_page_redraws_nothing_else(project):
    done = project.command("results/browse.html")
    assert done.returncode == 0, done.stdout[-3000:]
    for part in ("browse.py", "browse.js", "browse.css", "browse.html"):
        change(project, f"{LIBRARY}/pages/{part}")
        assert project.planned("all", "results/browse.html") == {"results/browse.html"}


@pytest.mark.long("a row through all stages")
def test_a_partial_rerun_makes_just_what_was_planned(project):
    """One pruner changed for real, run, and every other file untouched."""
    before = project.files()
    change(
        project,
        "workflow/scripts/sparsesum/pruning/pruners/magnitude.py",
        "score = weight.abs()",
        "score = -weight.abs()",
    )
    done = project.snakemake()
    assert done.returncode == 0, done.stdout[-3000:]
    after = project.files()
    changed = {path for path in after if before.get(path) != after[path]}
    stages = {path for path in changed if not path.startswith(("results/logs", "results/bench"))}
    stages = {path for path in stages if not is_provenance(path)}
    only(stages, "magnitude_50")
    assert len(stages) > 8
    assert project.planned() == set()
