"""
Bills: the first records of each split, their tokens, the calibration set cut from them (or from
texts of its own: key calibration.text), and held-out text of the test split.

  in   the corpus's source: a folder with JSON, CSV, Parquet or Arrow files, or the Hub
  out  results/corpus/CORPUS/SPLIT.jsonl           id, title, text, summary
       results/tokens/CORPUS/MODEL/SPLIT.parquet   token ids to train on and to ask with
       results/calibration/CORPUS/MODEL.safetensors
       results/heldout/CORPUS/MODEL.safetensors    bills as they are: no prompt, no summary

`bills` makes the synthetic corpus that ships in resources/bills; no target asks for it.
"""

from sparsesum import splits


def split_files(wildcards):
    """The files that the split is read from; none where the source is on the Hub.

    Nor where it has no such files: the job says so.
    """
    go_by_contents()
    corpus = config["corpora"][wildcards.corpus]
    try:
        folder = hub.folder(located(corpus["source"]))
        split = corpus["splits"][wildcards.split]["from"]
        return [str(path) for path in splits.files(folder, split, corpus.get("configuration"))]
    except InputError:
        return []


rule corpus:
    input:
        source=split_files,
        manifest=lambda wildcards: manifest("corpus", wildcards.corpus),
        code=scripts("corpus.py"),
    output:
        "results/corpus/{corpus}/{split}.jsonl",
        provenance="results/corpus/{corpus}/{split}.provenance.json",
    log:
        "results/logs/corpus/{corpus}/{split}.log",
    benchmark:
        "results/benchmarks/corpus/{corpus}/{split}.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(2000),
        runtime=sized(30),
        gpu=0,
    params:
        source=lambda wildcards: located(config["corpora"][wildcards.corpus]["source"]),
        split=lambda wildcards: config["corpora"][wildcards.corpus]["splits"][wildcards.split],
        options=lambda wildcards: {
            key: config["corpora"][wildcards.corpus][key]
            for key in ("configuration", "columns", "incomplete")
            if key in config["corpora"][wildcards.corpus]
        },
    message:
        "Bills of the {wildcards.split} split of {wildcards.corpus}"
    script:
        "../scripts/corpus.py"


rule tokens:
    input:
        records="results/corpus/{corpus}/{split}.jsonl",
        tokenizer="results/dense/{model}/tokenizer.json",
        code=scripts("tokens.py"),
    output:
        "results/tokens/{corpus}/{model}/{split}.parquet",
        provenance="results/tokens/{corpus}/{model}/{split}.provenance.json",
    log:
        "results/logs/tokens/{corpus}/{model}/{split}.log",
    benchmark:
        "results/benchmarks/tokens/{corpus}/{model}/{split}.tsv"
    priority: priorities["prepare"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(2000),
        runtime=sized(30),
        gpu=0,
    params:
        **config["tokens"],
        prompt=config["prompt"],
    message:
        "Tokens of the {wildcards.split} split for {wildcards.model}"
    script:
        "../scripts/tokens.py"


def calibration_texts(wildcards):
    """What calibration sequences are cut from: the train split's tokens, or texts of their own."""
    text = config["calibration"]["text"]
    if text is None:
        return {"train": f"results/tokens/{wildcards.corpus}/{wildcards.model}/train.parquet"}
    files = {"tokenizer": f"results/dense/{wildcards.model}/tokenizer.json"}
    if fetched := manifest("text", TEXT):
        return files | {"manifest": fetched}
    return files | {"file": f"{located(text['source'])}/{text['file']}"}


rule calibration:
    input:
        unpack(calibration_texts),
        code=scripts("calibration.py"),
    output:
        "results/calibration/{corpus}/{model}.safetensors",
        provenance="results/calibration/{corpus}/{model}.provenance.json",
    log:
        "results/logs/calibration/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/calibration/{corpus}/{model}.tsv"
    priority: priorities["prepare"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(2000),
        runtime=sized(30),
        gpu=0,
    params:
        **config["calibration"],
        source=located((config["calibration"]["text"] or {"source": ""})["source"]),
    message:
        "Calibration set for {wildcards.model}"
    script:
        "../scripts/calibration.py"


rule heldout:
    input:
        records="results/corpus/{corpus}/test.jsonl",
        tokenizer="results/dense/{model}/tokenizer.json",
        config="results/dense/{model}/config.json",
        code=scripts("heldout.py"),
    output:
        "results/heldout/{corpus}/{model}.safetensors",
        provenance="results/heldout/{corpus}/{model}.provenance.json",
    log:
        "results/logs/heldout/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/heldout/{corpus}/{model}.tsv"
    priority: priorities["prepare"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(2000),
        runtime=sized(30),
        gpu=0,
    params:
        **config["heldout"],
    message:
        "Held-out text for {wildcards.model}"
    script:
        "../scripts/heldout.py"


rule bills:
    input:
        code=scripts("bills.py"),
    output:
        train="results/bills/train.jsonl",
        test="results/bills/test.jsonl",
        ca_test="results/bills/ca_test.jsonl",
        provenance="results/bills/provenance.json",
    log:
        "results/logs/bills.log",
    benchmark:
        "results/benchmarks/bills.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
        gpu=0,
    message:
        "Synthetic bills"
    script:
        "../scripts/bills.py"
