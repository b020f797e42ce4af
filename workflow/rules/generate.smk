"""
Generations: what each row writes for each bill of both splits, by greedy decoding.

  in   the files that deploy the row, and the tokens of both splits
  out  results/generate/CORPUS/MODEL/VARIANT/FINETUNING/SPLIT.jsonl
       id, prompt_tokens, tokens, cut_off, prediction, reference
       .../costs.json    generation time, peak memory, and the protocol

Rows of the table run alone, since their time is a result.
"""


def timed(wildcards):
    """Whether a row's time is shown: that of the tables' rows, with the first seed."""
    return any(
        (wildcards.model, wildcards.variant) == (row.model, row.checkpoint)
        and wildcards.finetuning == scored_as(row)
        for row in [*ROWS, *COMPRESSED]
    )


rule generate:
    input:
        unpack(deployed),
        validation=tokenised("tokens/{corpus}/{model}/validation.parquet"),
        test=tokenised("tokens/{corpus}/{model}/test.parquet"),
    output:
        validation=f"results/generate/{ROW}/validation.jsonl",
        test=f"results/generate/{ROW}/test.jsonl",
        costs=f"results/generate/{ROW}/costs.json",
        provenance=f"results/generate/{ROW}/provenance.json",
    priority: priorities["generate"]
    threads: alone("generate", timed)
    resources:
        mem_mb=sized(3000, 5),
        runtime=sized(30, 0.4),
        gpu=gpus,
        # With batch_size: auto a job takes what the card has.
        gpu_mb=whole_gpu,
    params:
        code=code("generate.py"),
        settings=config["generate"],
        prompt=config["prompt"],
        device=config["device"],
        threads=config["threads"]["generate"],
        # A time that was taken beside other jobs is none for the table.
        alone=timed,
    message:
        "Summaries by {wildcards.model}, {wildcards.variant}, {wildcards.finetuning}"
    script:
        "../scripts/generate.py"
