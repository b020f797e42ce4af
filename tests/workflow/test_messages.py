"""What a run says on the terminal, and what in its log."""

from tests.workflow.project import Project

REASON = "Reason: "


def log(project: Project) -> str:
    """The newest log of Snakemake's own."""
    logs = (project.folder / ".snakemake" / "log").glob("*.snakemake.log")
    return max(logs, key=lambda file: file.stat().st_mtime).read_text()


def test_a_run_says_its_plan_and_shows_the_table_and_reasons_go_to_the_log(project):
    project.use(project.models, score={"resamples": 200, "seed": 3})
    done = project.snakemake("results/table3.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    said = done.stdout
    # Six rows' means and the table; no durations are known of these models.
    assert "Preset tiny: 6 rows, 7 jobs" in said
    assert "Results grid, preset tiny" in said and "| tiny-pre  | full " in said
    assert "Test ROUGE without pruning, on this run: tiny-pre full" in said
    assert "results/table3.md; with all columns: results/table3.csv" in said
    for chatter in (REASON, "Job stats", "Select jobs", "Finished jobid", "steps (", "after 0."):
        assert chatter not in said, chatter
        assert chatter in log(project) or chatter == "after 0."
    again = project.snakemake("results/table3.csv")
    assert "Nothing to be done" in again.stdout


def test_few_jobs_speak_for_themselves(project):
    project.use(project.models, note="Another note.")
    done = project.snakemake("results/table3.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Preset tiny: 1 jobs" in done.stdout
    assert "table3: results/table3.csv, after" in done.stdout and "Another note." in done.stdout


def test_verbose_shows_all_and_a_dry_run_the_reasons(project):
    project.use(project.models, note="A third note.")
    dry = project.snakemake("-n", "results/table3.csv").stdout
    assert REASON in dry and "Job stats" in dry and "Preset tiny" not in dry
    done = project.snakemake("--verbose", "results/table3.csv")
    assert REASON in done.stdout and "Preset tiny" not in done.stdout


def test_an_error_is_on_the_terminal(project):
    file = project.folder / "results/score/bills/tiny-pre/dense/full.json"
    file.write_text("{")
    (project.folder / "results/table3.csv").unlink()
    done = project.snakemake("results/table3.csv")
    assert done.returncode != 0 and ": error: " in done.stdout.partition("What failed:")[2]
