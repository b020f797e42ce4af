"""
What each rule with a script has; X is its artifact's name, that of its record: results/X.provenance.json
or results/X/provenance.json.

  log        results/logs/X.log
  benchmark  results/benchmarks/X.tsv
  conda      envs/sparsesum.yaml
"""


def contents(wildcards):
    """No input; but before a job's inputs are looked at, `go_by_contents`."""
    go_by_contents()
    return []


for each in workflow.rules:
    if each.script:
        each.set_input(contents)
        each.conda_env = str(ROOT / "envs" / "sparsesum.yaml")
        if record := each.output.get("provenance"):
            name = re.sub(r"^results/|[./]provenance\.json$", "", record)
            each.log_modifier = each.benchmark_modifier = each.output_modifier
            each.set_log(f"results/logs/{name}.log")
            each.benchmark = f"results/benchmarks/{name}.tsv"
