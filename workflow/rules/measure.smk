"""
Costs: what a row takes to run, on a machine that does nothing else meanwhile.

  in   the files that deploy the row, the costs of its generation, and a prompt
  out  results/measure/CORPUS/MODEL/VARIANT/FINETUNING.json
       generation time, latency, peak memory, parameters, nonzero ones, bytes, and the protocol
"""


rule measure:
    input:
        unpack(deployed),
        costs=f"results/generate/{ROW}/costs.json",
        validation=tokenised("tokens/{corpus}/{model}/validation.parquet"),
    output:
        f"results/measure/{ROW}.json",
        provenance=f"results/measure/{ROW}.provenance.json",
    threads: alone("measure")
    resources:
        mem_mb=sized(3000, 5),
        runtime=sized(30, 0.4),
        gpu=gpus,
        gpu_mb=whole_gpu,
    params:
        code=code("measure.py"),
        generate=config["generate"],
        # What pruning leaves as it is, and takes seconds to load, is not measured again for each row.
        all_engines=lambda wildcards: wildcards.variant.partition("@")[0] == "dense",
        measure=config["measure"],
        device=config["device"],
        threads=config["threads"]["measure"],
    message:
        "Costs of {wildcards.model}, {wildcards.variant}, {wildcards.finetuning}"
    script:
        "../scripts/measure.py"
