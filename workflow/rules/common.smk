"""
What every rule file uses: the checked configuration, the grid, and the names of artifacts.
"""

import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import Mtime

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from sparsesum import clock, encoder, files, grid, hub, locks, parameters, places, positions
from sparsesum import published, settings, sources, timestamps
from sparsesum.errors import InputError
from sparsesum.prompt import Prompt

try:
    places.check(str(ROOT), "{}", "Snakemake takes them for wildcards")
    # Snakemake puts it into shell commands as it is: a space there would end the command.
    sys.executable, os.environ["PATH"] = places.interpreter(
        sys.executable, os.environ.get("PATH", os.defpath)
    )
except InputError as error:
    raise WorkflowError(str(error))

if workflow.is_main_process:
    # A killed Snakemake leaves its lock. This stays open for as long as we live.
    ALIVE = locks.clear_stale(Path(".snakemake"))


def located(path):
    """A path of the config: as seen from the working directory, or else from the Snakefile."""
    if Path(path).exists() or not (ROOT / path).exists():
        return str(path)
    return os.path.relpath(ROOT / path)


try:
    settings.validate(
        config,
        ROOT / "workflow" / "schemas" / "config.schema.yaml",
        # Snakemake lists the overlays before what they lie on.
        [*workflow.configfiles[-1:], *workflow.configfiles[:-1]],
    )
    settings.put_in_order(config)
    ROWS = grid.read(located(config["grid"]), list(config["models"]))
    # The rows of table_pruning, as pruned and after QLoRA.
    PRUNING = {
        finetuning: grid.crossed(
            list(dict.fromkeys(row.model for row in ROWS)),
            finetuning,
            config["pruning_grid"]["pruners"],
            config["pruning_grid"]["sparsities"],
        )
        for finetuning in ("base", "qlora")
    }
    encoder.check(located(config["score"]["encoder"]), config["score"]["layer"])
except InputError as error:
    raise WorkflowError(str(error))

TRAINED = [row for row in ROWS if row.finetuning != "base"]
CORPUS = config["corpus"]
# What is fetched of the Hub for them is called by their names there; "" for a folder.
ENCODER = hub.name(located(config["score"]["encoder"]))
TEXT = hub.name(located((config["calibration"]["text"] or {"source": "."})["source"]))
SPLITS = ["validation", "test"]
# What paths say of the seed of fine-tuning: of the first nothing, of a further one "@43".
SEEDS = ["", *(f"@{seed}" for seed in config["seeds"][1:])]

# Jobs that run alone leave a core idle each time that they take turns with jobs that share: stage
# by stage there are few such turns. So far apart that two jobs of one stage do not outweigh the
# next. Measuring comes last, with none.
priorities = {"prepare": 1000, "train": 100, "evaluate": 10}


def any_of(names):
    """A wildcard that is one of these names, and so no way out of results/."""
    return "|".join(map(re.escape, sorted(names)))


PRUNED = rf"(?:{any_of(grid.pruners())})_[0-9][0-9a-z.]*"


wildcard_constraints:
    corpus=any_of(config["corpora"]),
    model=any_of(config["models"]),
    sparsity=f"(?:dense|{PRUNED})(?:{any_of(SEEDS)})",
    finetuning="|".join([*grid.FINETUNINGS, "qlora_on_dense"]),
    split="train|validation|test",


def scripts(*files):
    """A rule's script and every local module it imports: a change of one reruns the rule."""
    # Relative, so that a project that was moved or copied has nothing to rerun.
    return [os.path.relpath(path) for path in sources.closure(*files)]


def cells(rows):
    """Rows as a script gets them."""
    return [[row.model, row.finetuning, row.pruner, row.sparsity] for row in rows]


def scored_as(row):
    """The row's fine-tuning, or "qlora_on_dense": a pruned row's adapter on the dense base.

    The authors' notebook scored pruned rows so; `adapter_base: dense` repeats it.
    """
    pruned = row.checkpoint != "dense"
    if config["adapter_base"] == "dense" and pruned and row.finetuning == "qlora":
        return "qlora_on_dense"
    return row.finetuning


def of_rows(template, rows=ROWS, seed=""):
    """The artifact of each row, in the rows' order: by default of each row of the grid.

    `seed`: one of SEEDS.
    """
    return [
        template.format(
            corpus=CORPUS,
            model=row.model,
            sparsity=row.checkpoint + seed,
            finetuning=scored_as(row),
        )
        for row in rows
    ]


@cache
def go_by_contents():
    """Tell Snakemake the times to go by, where those of large files mislead (`timestamps`).

    Once, while the DAG is built: Snakemake looks up times in this cache before it asks the disk.
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
    # Whatever is asked for, what it is made of in the end comes from a source.
    go_by_contents()
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


def checkpoint(wildcards):
    """The float checkpoint that a row starts from: dense, or pruned."""
    where = f"results/dense/{wildcards.model}"
    # The seed of what will be made of it says nothing of the checkpoint.
    sparsity = wildcards.sparsity.partition("@")[0]
    if sparsity != "dense":
        where = f"results/prune/{wildcards.corpus}/{wildcards.model}/{sparsity}"
    return [f"{where}/model.safetensors", f"{where}/config.json"]


def deployed(wildcards):
    """The files needed to deploy a row: model (weights, configuration), adapter, tokenizer."""
    row = f"{wildcards.corpus}/{wildcards.model}/{wildcards.sparsity}"
    files = {
        "tokenizer": f"results/dense/{wildcards.model}/tokenizer.json",
        "model": checkpoint(wildcards),
    }
    if wildcards.finetuning == "full":
        files["model"] = [f"results/full/{row}/{f}" for f in ("model.safetensors", "config.json")]
    elif wildcards.finetuning != "base":
        base, adapter = f"results/qlora/{row}/base", f"results/qlora/{row}/adapter"
        if wildcards.finetuning == "qlora_on_dense":
            base = f"results/qlora/{wildcards.corpus}/{wildcards.model}/dense/base"
        files["model"] = [f"{base}/model.safetensors", f"{base}/config.json"]
        files["adapter"] = [
            f"{adapter}/adapter_model.safetensors",
            f"{adapter}/adapter_config.json",
        ]
    return files


def training(section):
    """A param: the settings of a training, with the seed that its path names, or the first."""

    def settings(wildcards):
        seed = wildcards.sparsity.partition("@")[2] or config["seeds"][0]
        return config[section] | {"seed": int(seed)}

    return settings


def submits():
    """Whether jobs go to SLURM, or would but for --dry-run.

    A dry run does not say which executor it stands for; only profiles/slurm groups jobs.
    """
    if workflow.dryrun:
        return bool(workflow.group_settings.overwrite_groups)
    return hasattr(workflow.executor_settings, "status_command")


def always(wildcards):
    """Whether a job's time is a result: each one's."""
    return True


def alone(rule, timed=always):
    """All cores: nothing else of the DAG runs beside a job whose time is a result (`timed`).

    On a cluster it has a node to itself (profiles/slurm) and asks for the rule's threads:
    workflow.cores is a limit where jobs are submitted, and all of the node's on the node.
    """

    def threads(wildcards):
        if submits() or workflow.remote_exec or not timed(wildcards):
            return config["threads"][rule]
        return workflow.cores or 1

    return threads


UNKNOWN_MB = 2000
"""Taken as a model's size as long as its source is not there: more than any of paper.yaml."""


@cache
def model_mb(name):
    """MiB of a model in float32: of the dense checkpoint, or by its source's config.json."""
    dense = Path(f"results/dense/{name}/model.safetensors")
    if dense.is_file():
        return dense.stat().st_size / 2**20
    try:
        folder = hub.folder(origin("model", name)["source"], manifest("model", name))
        return 4 * parameters.count(files.read_json(folder / "config.json")) / 2**20
    except (InputError, OSError, ValueError, LookupError, TypeError):
        if submits():
            print(
                f"Model {name} is not there yet: its jobs ask for memory and time as for "
                f"{UNKNOWN_MB} MiB. Target `download` fetches what is on the Hub.",
                file=sys.stderr,
            )
        return UNKNOWN_MB


def check_positions():
    """Refuse texts that are longer than a model's positions: a job would find out after minutes.

    Of a model that is not there yet its jobs find out.
    """
    for name in dict.fromkeys(row.model for row in ROWS):
        try:
            folder = hub.folder(origin("model", name)["source"], manifest("model", name))
            there = files.read_json(folder / "config.json").get("max_position_embeddings", 2048)
        except (InputError, OSError, ValueError, AttributeError):
            continue
        try:
            prompt = positions.of_prompt(folder / "tokenizer.json", Prompt(**config["prompt"]))
        except InputError:
            prompt = (0, 0)
        pruners = {row.pruner for row in ROWS if row.model == name and row.checkpoint != "dense"}
        calibrates = any(
            sources.defines(f"sparsesum/pruners/{pruner}.py", "accumulate") for pruner in pruners
        )
        if isinstance(there, int):
            positions.check(config, name, there, *prompt, calibrates)


if workflow.is_main_process:
    try:
        check_positions()
    except InputError as error:
        raise WorkflowError(str(error))


def sized(least, per_mb=0):
    """A resource that grows with a job's model and with each retry: `least` + `per_mb` a MiB.

    The model is the one that the wildcards name; its size is that of its float32 weights, which
    are known before any of a job's inputs is.
    """

    def amount(wildcards, attempt):
        return int(attempt * (least + (per_mb * model_mb(wildcards.model) if per_mb else 0)))

    return amount


def gpus(wildcards):
    """One GPU, unless the configuration keeps the work on the CPU."""
    return 0 if config["device"] == "cpu" else 1


@cache
def card_mb():
    """MiB of the GPU that jobs here will use; 0 where there is none.

    One of NVIDIA's that nvidia-smi does not tell of counts as 1 MiB: each job takes all of it.
    """
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0]
    try:
        told = subprocess.run(
            [*command, *(["-i", first] if first else [])],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(told.stdout.split()[0])
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return int(os.path.exists("/dev/nvidiactl"))


if config["device"] != "cpu" and card_mb():
    # Here, jobs share the card as far as this goes; a cluster grants a job a GPU.
    workflow.register_resource("gpu_mb", card_mb())


def gpu_share(least, per_mb=0):
    """MiB of a GPU's memory: `least` + `per_mb` a MiB of the job's model.

    Jobs whose time is no result share a card as far as its memory goes.
    """

    def amount(wildcards):
        if config["device"] == "cpu":
            return 0
        model = model_mb(wildcards.model) if per_mb else 0
        return min(card_mb(), int(least + per_mb * model))

    return amount


def whole_gpu(wildcards):
    """All of a GPU's memory: of a job whose time is a result, or that takes what there is."""
    return 0 if config["device"] == "cpu" else card_mb()


GPU_FILES = ["/dev/nvidiactl", "/dev/kfd", "/dev/dxg"]


def check_gpu():
    """Refuse `device: cuda` without a GPU: Snakemake would delete results before a job says so."""
    if config["device"] == "cuda" and not any(map(os.path.exists, GPU_FILES)):
        raise WorkflowError(
            f"key 'device': cuda, and this machine has no GPU ({' or '.join(GPU_FILES)}); allowed "
            "here: cpu, auto; nothing was made or deleted"
        )


def check_times():
    """Refuse inputs of the future before anything is made of them."""
    jobs = workflow.dag.needrun_jobs(exclude_finished=False)
    paths = dict.fromkeys(str(path) for job in jobs for path in job.input)
    try:
        clock.check(paths, time.time())
    except InputError as error:
        raise WorkflowError(str(error))
