"""
The page to read outputs on: one HTML file that needs no other file and no network.

  in   the bills; each row's generations, scores and grounding
  out  results/browse.html
"""


rule browse:
    input:
        bills=[f"results/corpus/{CORPUS}/{split}.jsonl" for split in SPLITS],
        validation=of_rows(
            "results/generate/{corpus}/{model}/{sparsity}/{finetuning}/validation.jsonl"
        ),
        test=of_rows("results/generate/{corpus}/{model}/{sparsity}/{finetuning}/test.jsonl"),
        examples=of_rows("results/examples/{corpus}/{model}/{sparsity}/{finetuning}.csv"),
        grounding=of_rows("results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.csv"),
        marks=of_rows("results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.jsonl"),
        template=scripts(*(f"sparsesum/browse.{ending}" for ending in ("html", "css", "js"))),
        code=scripts("browse.py"),
    output:
        page=report(
            "results/browse.html",
            caption="../report/browse.rst",
            category="2. Reading the outputs",
            labels={"shows": "all rows side by side"},
        ),
        provenance="results/browse.provenance.json",
    log:
        "results/logs/browse.log",
    benchmark:
        "results/benchmarks/browse.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        rows=cells(ROWS),
        preset=config["preset"],
        note=config["note"],
    message:
        "The page to read the outputs of {params.preset} on"
    script:
        "../scripts/browse.py"
