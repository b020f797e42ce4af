"""
Costs: what a row takes to run, on a machine that does nothing else meanwhile.

  in   the files that deploy the row, and the tokens of both splits
  out  results/measure/CORPUS/MODEL/SPARSITY/FINETUNING.json
       generation time, latency, peak memory, parameters, nonzero ones, bytes, and the protocol
"""


rule measure:
    input:
        unpack(deployed),
        validation="results/tokens/{corpus}/{model}/validation.parquet",
        test="results/tokens/{corpus}/{model}/test.parquet",
        code=scripts("measure.py"),
    output:
        "results/measure/{corpus}/{model}/{sparsity}/{finetuning}.json",
        provenance="results/measure/{corpus}/{model}/{sparsity}/{finetuning}.provenance.json",
    log:
        "results/logs/measure/{corpus}/{model}/{sparsity}/{finetuning}.log",
    benchmark:
        "results/benchmarks/measure/{corpus}/{model}/{sparsity}/{finetuning}.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: alone("measure")
    resources:
        mem_mb=sized(3000, 5),
        runtime=sized(30, 0.4),
        gpu=gpus,
    params:
        generate=config["generate"],
        stop=config["prompt"]["stop"],
        measure=config["measure"],
        device=config["device"],
        threads=config["threads"]["measure"],
    message:
        "Costs of {wildcards.model}, {wildcards.sparsity}, {wildcards.finetuning}"
    script:
        "../scripts/measure.py"
