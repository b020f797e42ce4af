"""
Provenance: what made the results, and whether they are still what was made.

  in   the record beside each artifact (output `provenance` of every rule)
  out  results/provenance.json     the records of all jobs that led to the table and the plots
       results/provenance.html     what of them a reader asks for first

`snakemake --cores 1 verify` hashes everything again and says what no longer matches. It makes and
changes nothing.
"""


rule provenance:
    input:
        results=["results/table3.csv", "results/plots/quality_size.svg"],
        code=scripts("provenance.py"),
    output:
        records="results/provenance.json",
        markdown="results/provenance.md",
        page=report(
            "results/provenance.html",
            caption="../report/provenance.rst",
            category="8. Provenance",
            labels={"shows": "what made the results"},
        ),
    log:
        "results/logs/provenance.log",
    benchmark:
        "results/benchmarks/provenance.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
        gpu=0,
    params:
        preset=config["preset"],
        note=config["note"],
    message:
        "What made the results"
    script:
        "../scripts/provenance.py"


rule verify:
    input:
        code=scripts("verify.py"),
    log:
        "results/logs/verify.log",
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
        gpu=0,
    params:
        folder="results",
    message:
        "Verifying results/"
    script:
        "../scripts/verify.py"
