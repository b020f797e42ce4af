"""
What jobs ask of the machine: memory and time by the model's size, cores, a GPU or a share of one.
"""

import subprocess
from functools import cache

from sparsesum.base import files
from sparsesum.models import parameters

UNKNOWN_MB = 2000
"""Taken as a model's size as long as its source is not there: more than any of paper.yaml."""


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
        done = subprocess.run(
            [*command, *(["-i", first] if first else [])],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout.split()[0])
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
