"""
Bills: the first records of each split, their tokens, the calibration set cut from them (or from
texts of its own: key calibration.text), and held-out text of the test split.

  in   the corpus's source: a folder with JSON, CSV, Parquet or Arrow files, or the Hub
  out  results/corpus/CORPUS/SPLIT.jsonl           id, title, text, summary
       results/tokens/CORPUS/MODEL/SPLIT.parquet   token ids to train on and to ask with
       results/calibration/CORPUS/MODEL.safetensors
       results/heldout/CORPUS/MODEL.safetensors    bills as they are: no prompt, no summary

With its vocabulary cut a model has tokens of its own: MODEL is MODEL+vocabulary_16384 then.

`bills` makes the synthetic corpus that ships in resources/bills; no target asks for it.
"""

from sparsesum.corpus import splits

# The name of what made tokens: a model's tokenizer, or that with its vocabulary cut.
TOKENISER = rf"(?:{any_of(config['models'])})(?:\+{shrinks.TOKENS}_[0-9]+)?"


def tokenizer_named(wildcards):
    """The tokenizer that a name of TOKENISER means."""
    model, _, cut = wildcards.model.partition("+")
    folder = f"shrink/{wildcards.corpus}/{model}/{cut}" if cut else f"dense/{model}"
    return f"results/{folder}/tokenizer.json"


def split_files(wildcards):
    """The files that the split is read from; none where the source is on the Hub.

    Nor where it has no such files: the job says so.
    """
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
    output:
        "results/corpus/{corpus}/{split}.jsonl",
        provenance="results/corpus/{corpus}/{split}.provenance.json",
    params:
        code=code("corpus.py"),
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
        tokenizer=tokenizer_named,
    output:
        "results/tokens/{corpus}/{model}/{split}.parquet",
        provenance="results/tokens/{corpus}/{model}/{split}.provenance.json",
    wildcard_constraints:
        model=TOKENISER,
    priority: priorities["prepare"]
    params:
        **config["tokens"],
        code=code("tokens.py"),
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
    files = {"tokenizer": tokenizer_named(wildcards)}
    if fetched := manifest("text", TEXT):
        return files | {"manifest": fetched}
    return files | {"file": f"{located(text['source'])}/{text['file']}"}


rule calibration:
    input:
        unpack(calibration_texts),
    output:
        "results/calibration/{corpus}/{model}.safetensors",
        provenance="results/calibration/{corpus}/{model}.provenance.json",
    wildcard_constraints:
        model=TOKENISER,
    priority: priorities["prepare"]
    params:
        **config["calibration"],
        code=code("calibration.py"),
        source=located((config["calibration"]["text"] or {"source": ""})["source"]),
    message:
        "Calibration set for {wildcards.model}"
    script:
        "../scripts/calibration.py"


rule heldout:
    input:
        records="results/corpus/{corpus}/test.jsonl",
        tokenizer=tokenizer_named,
        config=lambda wildcards: f"results/dense/{wildcards.model.partition('+')[0]}/config.json",
    output:
        "results/heldout/{corpus}/{model}.safetensors",
        provenance="results/heldout/{corpus}/{model}.provenance.json",
    wildcard_constraints:
        model=TOKENISER,
    priority: priorities["prepare"]
    params:
        **config["heldout"],
        code=code("heldout.py"),
    message:
        "Held-out text for {wildcards.model}"
    script:
        "../scripts/heldout.py"


rule bills:
    output:
        train="results/bills/train.jsonl",
        test="results/bills/test.jsonl",
        ca_test="results/bills/ca_test.jsonl",
        provenance="results/bills/provenance.json",
    params:
        code=code("bills.py"),
    message:
        "Synthetic bills"
    script:
        "../scripts/bills.py"
