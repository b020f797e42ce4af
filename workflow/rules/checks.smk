"""
What is refused before the first job, in one line.
"""

import time

from sparsesum.corpus import positions
from sparsesum.corpus.prompt import Prompt
from sparsesum.jobs import clock

GPU_FILES = ["/dev/nvidiactl", "/dev/kfd", "/dev/dxg"]


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
        if isinstance(there, int):
            positions.check(config, name, there, *prompt, any(map(calibrates, pruners)))


if workflow.is_main_process:
    try:
        check_positions()
    except InputError as error:
        raise WorkflowError(str(error))


def check_gpu():
    """Refuse `device: cuda` without a GPU: Snakemake would delete results before a job says so."""
    if config["device"] == "cuda" and not any(map(os.path.exists, GPU_FILES)):
        raise WorkflowError(
            f"key 'device': cuda, and this machine has no GPU ({' or '.join(GPU_FILES)}); allowed "
            "here: cpu, auto; nothing was made or deleted"
        )


def check_times():
    """Refuse inputs of the future before anything is made from them."""
    jobs = workflow.dag.needrun_jobs(exclude_finished=False)
    paths = dict.fromkeys(str(path) for job in jobs for path in job.input)
    try:
        clock.check(paths, time.time())
    except InputError as error:
        raise WorkflowError(str(error))
