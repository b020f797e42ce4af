"""
What a run says at its end: where the result lies, or what failed, which may stand far above.
"""


onsuccess:
    # The jobs of this run's targets and of all that they need.
    made = {job.rule.name for job in workflow.dag.jobs}
    if "table3" in made:
        table = Path("results/table3.md")
        heading, _, note = table.read_text(encoding="utf-8").splitlines()[:3]
        print(f"{heading.lstrip('# ')}: {table} and .csv\n{note}", file=sys.stderr)
    if "table_pruning" in made:
        table = Path("results/table_pruning.md")
        heading = table.read_text(encoding="utf-8").splitlines()[0]
        print(f"{heading.lstrip('# ')}: {table} and .csv", file=sys.stderr)
    if "browse" in made:
        print("To read the outputs: results/browse.html", file=sys.stderr)
    if "report" in made:
        print("All in one file: snakemake report --report results/report.zip", file=sys.stderr)


onerror:
    lines = [
        line.strip()
        for path in log
        for line in Path(path).read_text("utf-8", "replace").splitlines()
    ]
    failed = dict.fromkeys(line for line in lines if ": error: " in line)
    if failed:
        print("What failed:", *failed, sep="\n  ", file=sys.stderr)
