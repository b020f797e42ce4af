"""
On SLURM: what is checked before anything is submitted, and what a dry run shows of it.
"""

import atexit
import time
from collections import Counter

from snakemake.resources import GroupResources

PROFILE = "profiles/slurm/config.yaml"


def check_status_command():
    """Refuse to ask `sacct` without accounting: the plugin would wait for an answer for good."""
    from snakemake_executor_plugin_slurm.job_status_query import get_min_job_age

    settings = workflow.executor_settings
    age, interval = get_min_job_age(), settings.init_seconds_before_status_checks
    remedy = f"set `slurm-status-command: squeue` in {PROFILE}"
    if settings.status_command != "sacct":
        if age is not None and age >= 3 * interval:
            return
        remedy = (
            f"squeue forgets a job after {age} s (MinJobAge), so that the plugin asks sacct after "
            f"all; set `slurm-init-seconds-before-status-checks: {(age or 30) // 3}` in {PROFILE}"
        )
    asked = subprocess.run(["sacct", "-X", "-n"], capture_output=True, text=True)
    if asked.returncode:
        said = (asked.stderr.strip().splitlines() or ["sacct fails"])[0]
        raise WorkflowError(f"No accounting on this SLURM ({said}): {remedy}")
    print(
        f"Jobs' states are asked of sacct: a job that is cancelled would be waited for; {remedy}",
        file=sys.stderr,
    )


def end_orphans():
    """Cancel jobs that an earlier Snakemake left when it was killed: they would write the same files.

    This one has the folder's lock, so that no other is at work here.
    """
    listed = subprocess.run(
        ["squeue", "--me", "--noheader", "--format=%i|%Z|%k"], capture_output=True, text=True
    )
    rows = [line.split("|", 2) for line in listed.stdout.splitlines()]
    jobs = [
        job
        for job, folder, comment in rows
        if folder == workflow.workdir_init and comment.startswith("rule_")
    ]
    if not jobs or not workflow.execution_settings.lock:
        return
    print(
        f"Cancelling what an earlier run left behind: SLURM jobs {', '.join(jobs)}", file=sys.stderr
    )
    subprocess.run(["scancel", *jobs])
    still_there = ["squeue", "--noheader", f"--jobs={','.join(jobs)}"]
    while subprocess.run(still_there, capture_output=True, text=True).stdout.strip():
        time.sleep(1)


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
