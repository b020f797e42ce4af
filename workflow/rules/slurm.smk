"""
On SLURM: what is checked before anything is submitted, and what a dry run shows of it.
"""

import atexit
import subprocess
from collections import Counter

from snakemake.resources import GroupResources


def check_status_command():
    """Refuse `sacct` where it does not work: the plugin would wait for its answer for good."""
    if workflow.executor_settings.status_command != "sacct":
        return
    command = ["sacct", "-X", "-n", "--starttime", "now"]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if asked.returncode:
        said = (asked.stderr.strip().splitlines() or ["no answer"])[0]
        raise WorkflowError(
            f"SLURM has no accounting here ({said}), and the state of jobs would be asked of "
            "sacct; set `slurm-status-command: squeue` in profiles/slurm/config.yaml"
        )


def submissions():
    """Each submission that a run would make: the names of its jobs, and what it asks for.

    A dry run adds up the resources of a group as if it ran where Snakemake does, so they are
    computed again here, as for sbatch.
    """
    groups = {}
    for job in workflow.dag.needrun_jobs(exclude_finished=False):
        group = workflow.dag.get_job_group(job)
        if group is not None:
            groups[group] = group
        elif not (job.rule.norun or job.rule.name in workflow._localrules):
            yield job.rule.name, job.resources
    for group in groups:
        names = Counter(job.rule.name for job in group.jobs)
        resources = GroupResources.basic_layered(
            toposorted_jobs=group.toposorted,
            constraints=workflow.global_resources,
            run_local=False,
            additive_resources=["runtime"],
            sortby=["runtime"],
        )
        jobs = " + ".join(f"{count} {name}" for name, count in sorted(names.items()))
        yield f"{group.groupid}: {jobs}", resources


def show_submissions():
    """After a dry run: what sbatch would be asked for. Snakemake shows it of no job with a message."""
    if not (submits() and workflow.dryrun and workflow.scheduler):
        return
    columns = ["_cores", "mem_mb", "runtime", "gpu", "slurm_extra"]
    lines = Counter(
        (name, *(resources.get(column) or "" for column in columns))
        for name, resources in submissions()
    )
    print(f"{'number':>6} {'cpus':>5} {'MiB':>7} {'minutes':>8} {'gpu':>4}  of what")
    for (name, cpus, memory, minutes, gpu, extra), number in sorted(lines.items()):
        print(f"{number:>6} {cpus:>5} {memory:>7} {minutes:>8} {gpu:>4}  {name} {extra}".rstrip())
    print(f"{lines.total():>6} submissions; a retry asks for twice the memory and the time")


atexit.register(show_submissions)


onstart:
    if submits():
        check_status_command()
