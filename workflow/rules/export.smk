"""
A row for use elsewhere: a folder for the Hub, which transformers and peft load wherever it lies. No
other target asks for it.

  in   the files that deploy the row, its scores and its costs
  out  results/export/CORPUS/MODEL/VARIANT/FINETUNING/
         config.json, generation_config.json, model.safetensors, tokenizer.json,
         tokenizer_config.json     the model; 8-bit weights as bitsandbytes has them, unpacked
         adapter/                  the adapter of a row that has one: its base is the model above
         README.md                 the model card
"""

ADAPTED = [name for method in METHODS if adapts(method) for name in (method, f"{method}_on_dense")]


def known_as(kind, name):
    """Where a model or corpus comes from, for a model card; what a corpus calls its splits."""
    found = origin(kind, name)
    splits = config["corpora"][name]["splits"] if kind == "corpus" else {}
    return {
        "source": found["source"],
        "revision": found["revision"],
        "hub": hub.is_hub(found["source"]),
        "splits": {split: each["from"] for split, each in splits.items()},
    }


def exported(*more):
    """The outputs of an export: the card first, and `more` files of its folder."""
    names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"]
    names = ["README.md", *names, "tokenizer_config.json", *more, "provenance.json"]
    return {Path(name).stem: f"results/export/{ROW}/{name}" for name in names}


rule export:
    input:
        unpack(deployed),
        scores=f"results/score/{ROW}.json",
        costs=f"results/measure/{ROW}.json",
    output:
        **exported(),
    wildcard_constraints:
        finetuning=any_of({grid.BASE, *METHODS} - {*ADAPTED}),
    resources:
        mem_mb=sized(2000, 2),
        runtime=sized(10, 0.01),
    params:
        code=code("export.py"),
        model=lambda wildcards: known_as("model", wildcards.model),
        corpus=lambda wildcards: known_as("corpus", wildcards.corpus),
        prompt=config["prompt"],
        text=config["tokens"]["text"],
        max_new_tokens=config["generate"]["max_new_tokens"],
        preset=config["preset"],
        note=config["note"],
    message:
        "Export of {wildcards.model}, {wildcards.variant}, {wildcards.finetuning}"
    script:
        "../scripts/export.py"


use rule export as export_adapted with:
    output:
        **exported("adapter/adapter_model.safetensors", "adapter/adapter_config.json"),
    wildcard_constraints:
        finetuning=any_of(ADAPTED),
