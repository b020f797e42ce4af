"""
The names of artifacts: which files a row has, and from which it is made.

  {model}       a key of `models`
  {variant}     what its weights are: dense, wanda_2of4, layers_75+neurons_50, neurons_50+wanda_2of4;
                with another seed wanda_2of4@43
  {finetuning}  base, or the method of fine-tuning (qlora_on_dense: scored on the dense base)
"""

from functools import cache

from snakemake.io import Mtime

from sparsesum.jobs import timestamps

CHECKPOINT = "{corpus}/{model}/{variant}"
ROW = f"{CHECKPOINT}/{{finetuning}}"


def cells(rows):
    """Rows as a script gets them."""
    return [[row.model, row.finetuning, row.pruner, row.sparsity] for row in rows]


def page(name, category, shows):
    """An output of the report: results/NAME.html, with its caption."""
    return report(
        f"results/{name}.html",
        caption=f"../report/{name}.rst",
        category=category,
        labels={"shows": shows},
    )


def adapts(method):
    """Whether a method of fine-tuning leaves an adapter beside a base."""
    return not merges(method) and sources.defines(
        f"sparsesum/finetuning/methods/{method}.py", "adapt"
    )


def merges(method):
    """Whether a method of fine-tuning leaves a base with its adapter merged into it."""
    return sources.defines(f"sparsesum/finetuning/methods/{method}.py", "merge")


def check_options(key, options, allowed):
    """Refuse an option that a pruner or method does not have: its job would start by deleting."""
    for name in options:
        if name not in allowed:
            raise WorkflowError(
                f"key '{key}': unknown option '{name}'; allowed: {', '.join(allowed) or 'none'}"
            )


def scored_as(row):
    """The row's fine-tuning, or "qlora_on_dense": a pruned row's adapter on the dense base.

    The authors' notebook scored pruned rows so; `adapter_base: dense` repeats it.
    """
    pruned = row.pruner != grid.NONE
    if config["adapter_base"] == "dense" and pruned and row.finetuning in filter(adapts, METHODS):
        return f"{row.finetuning}_on_dense"
    return row.finetuning


def of_rows(template, rows=ROWS, seed=""):
    """The artifact of each row, in the rows' order: by default of each row of the grid.

    `seed`: one of SEEDS.
    """
    return [
        template.format(
            corpus=CORPUS,
            model=row.model,
            variant=row.checkpoint + seed,
            finetuning=scored_as(row),
        )
        for row in rows
    ]


def of_trained(name):
    """A file of each fine-tuned row's own folder, whatever its adapter is scored on."""
    return [
        f"results/{row.finetuning}/{CORPUS}/{row.model}/{row.checkpoint}/{name}" for row in TRAINED
    ]


def of_seeds(template, seeds=SEEDS):
    """The artifact of each fine-tuned row: of all with the first seed, then of all with the next."""
    return [path for seed in seeds for path in of_rows(template, TRAINED, seed)]


def of_further_seeds(template):
    """The same without the first seed: what the grid's rows have beside their own."""
    return of_seeds(template, SEEDS[1:])


def of_bases(template):
    """The artifact of each model whose unpruned base is a row of the grid."""
    return [template.format(corpus=CORPUS, model=model) for model in BASES]


@cache
def go_by_contents():
    """Tell Snakemake the times to go by, where those of the disk mislead (`timestamps`).

    Once, while the DAG is built: Snakemake looks up times in this cache before it asks the disk. Each
    rule has an input function that calls it (conventions.smk), since its settings are there then.
    """
    if workflow.is_main_process:
        times = timestamps.put_right(
            Path("results"),
            workflow.dag_settings.max_checksum_file_size,
            notes=Path(".snakemake/sha256.json"),
            say=lambda line: print(line, file=sys.stderr),
        )
        workflow.iocache.mtime.update((path, Mtime(local=time)) for path, time in times.items())


def source_files(section, name, patterns):
    """The files of a local source, as inputs; none where the source is on the Hub."""
    return files_in(located(config[section][name]["source"]), patterns)


def files_in(folder, patterns):
    """The files of a folder, if it is one, as inputs."""
    found = {path for pattern in patterns for path in Path(folder).glob(pattern)}
    return sorted(str(path) for path in found if path.is_file())


def origin(kind, name):
    """Where a model, corpus, encoder or text comes from, and the config's keys that say so."""
    if kind == "encoder":
        section, entry, key = "score", config["score"], "encoder"
    elif kind == "text":
        section, entry, key = "calibration.text", config["calibration"]["text"], "source"
    else:
        section = {"model": "models", "corpus": "corpora"}[kind]
        entry, key = config[section][name], "source"
        section = f"{section}.{name}"
    return {
        "source": located(entry[key]),
        "revision": entry["revision"],
        "keys": [f"{section}.{key}", f"{section}.revision"],
        "splits": sorted({split["from"] for split in entry.get("splits", {}).values()}),
        "file": entry.get("file"),
        "configuration": entry.get("configuration"),
    }


def manifest(kind, name):
    """What rule `fetch` writes of a source on the Hub; nothing where the source is a folder."""
    return [f"results/fetch/{kind}/{name}.json"] if hub.is_hub(origin(kind, name)["source"]) else []


def encoder_files(wildcards):
    """The files of an encoder that lies in a folder; the package's and the Hub's are pinned."""
    kinds = ["*.json", "*.txt", "*.model", "*.safetensors"]
    return files_in(located(config["score"]["encoder"]), [*kinds, *(f"*/{kind}" for kind in kinds)])


def steps(variant):
    """What is done to the dense checkpoint, in order, by a variant's name.

    The seed of what will be made from it says nothing of the checkpoint.
    """
    variant = variant.partition("@")[0]
    return [] if variant == "dense" else variant.split("+")


def folder_of(wildcards, done):
    """The folder of a model's checkpoint to which these steps were done."""
    if not done:
        return f"results/dense/{wildcards.model}"
    stage = "shrink" if re.fullmatch(SHRUNK, done[-1]) else "prune"
    return f"results/{stage}/{wildcards.corpus}/{wildcards.model}/{'+'.join(done)}"


def source(name):
    """An input: a file of the checkpoint that the last step of a variant is done to."""
    return lambda wildcards: f"{folder_of(wildcards, steps(wildcards.variant)[:-1])}/{name}"


def vocabulary(variant):
    """The step that cuts the vocabulary, if there is one: in a list."""
    return [step for step in steps(variant) if step.startswith(f"{shrinks.TOKENS}_")]


def tokenizer(wildcards):
    """The tokenizer of a row: the model's own, or with its vocabulary cut, whatever else is done."""
    return f"{folder_of(wildcards, vocabulary(wildcards.variant))}/tokenizer.json"


def tokenised(artifact):
    """An input that a row's tokenizer made: "tokens", "calibration", "heldout", and what follows.

    {model} in `artifact` is the model's name, with a cut vocabulary MODEL+vocabulary_16384.
    """

    def path(wildcards):
        model = "+".join([wildcards.model, *vocabulary(wildcards.variant)])
        return f"results/{artifact}".format(corpus=wildcards.corpus, model=model)

    return path


def checkpoint(wildcards):
    """The float checkpoint that a row starts from: dense, shrunk or pruned."""
    folder = folder_of(wildcards, steps(wildcards.variant))
    return [f"{folder}/model.safetensors", f"{folder}/config.json"]


def deployed(wildcards):
    """The files needed to deploy a row: model (weights, configuration), adapter, tokenizer."""
    variant = f"{wildcards.corpus}/{wildcards.model}/{wildcards.variant}"
    files = {"tokenizer": tokenizer(wildcards)}
    method = wildcards.finetuning.removesuffix("_on_dense")
    if method == grid.BASE:
        return files | {"model": checkpoint(wildcards)}
    folder = f"results/{method}/{variant}"
    if adapts(method):
        files["adapter"] = [
            f"{folder}/adapter/adapter_model.safetensors",
            f"{folder}/adapter/adapter_config.json",
        ]
        if method != wildcards.finetuning:
            unpruned = "+".join(steps(wildcards.variant)[:-1]) or "dense"
            folder = f"results/{method}/{wildcards.corpus}/{wildcards.model}/{unpruned}"
        folder += "/base"
    return files | {"model": [f"{folder}/model.safetensors", f"{folder}/config.json"]}
