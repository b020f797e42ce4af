"""
Provenance: what made the results, and whether they are still what was made.

  in   the record beside each artifact (output `provenance` of every rule)
  out  results/provenance.json     the records of all jobs that led to the table
       results/provenance.html     what of them a reader asks for first

`snakemake --cores 1 verify` hashes everything again and says what no longer matches. It makes and
changes nothing.
"""


rule provenance:
    input:
        results=["results/table3.csv", "results/plots/quality_size.svg"],
    output:
        records="results/provenance.json",
        markdown="results/provenance.md",
        page=page("provenance", "8. Provenance", "what made the results"),
    log:
        "results/logs/provenance.log",
    localrule: True
    params:
        code=code("provenance.py"),
        preset=config["preset"],
        note=config["note"],
    message:
        "What made the results"
    script:
        "../scripts/provenance.py"


rule verify:
    log:
        "results/logs/verify.log",
    localrule: True
    params:
        folder="results",
    message:
        "Verifying results/"
    script:
        "../scripts/verify.py"
