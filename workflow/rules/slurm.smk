"""
On SLURM: what is checked before anything is submitted, and what a dry run shows of it.
"""

import atexit
import time
from collections import Counter

from snakemake.resources import GroupResources

from sparsesum.jobs import gpu_request

PROFILE = "profiles/slurm/config.yaml"


def ask_for_gpus():
    """Give rules with a GPU what key `slurm_gpu` of the profile makes of sbatch's options.

    Without the key, as where nothing is submitted, the rules' gpu stands: --gpus=1.
    """
    for each in workflow.rules:
        for name in ("gres", "gpu_model"):
            if name in each.resources:
                raise InputError(
                    f"{PROFILE}: '{name}' for rule {each.name}, so that jobs without a GPU might ask "
                    f"for one, or others in two ways; set 'slurm_gpu', allowed: {gpu_request.ALLOWED}"
                )
        if "slurm_gpu" not in each.resources or each.resources.get("gpu") != gpus:
            continue
        asked = str(each.resources["slurm_gpu"].raw)
        beside = gpu_request.resources(asked, f"{PROFILE}, key 'slurm_gpu'")
        if "gres" in beside:
            # The plugin would send --gpus as well. Another resource has jobs of a group take turns.
            beside |= {"gpu": 0, "gpu_turn": 1}
        if config["device"] != "cpu":
            for name, value in beside.items():
                each.resources[name] = value


try:
    ask_for_gpus()
except InputError as error:
    raise WorkflowError(str(error))


# Jobs whose time is a result have a node to themselves, unless the profile sets something else.
for each in workflow.rules:
    if each.name in [*METHODS, "generate", "measure"] and "slurm_extra" not in each.resources:
        each.resources["slurm_extra"] = "--exclusive"


def check_folders():
    """Refuse what the plugin would not get through a shell's double quotes to sbatch."""
    for folder in (str(ROOT), workflow.workdir_init, os.path.dirname(sys.executable)):
        try:
            places.check(folder, "$`\\", "the SLURM plugin does not quote it")
        except InputError as error:
            raise WorkflowError(str(error))


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


def asked_beside(resources):
    """The number of GPUs that a submission asks for, and its options of which that is not all."""
    number = resources.get("gpu") or resources.get("gpu_turn") or ""
    options = [
        ("--gpus={}:1", resources.get("gpu_model")),
        ("--gres={}", resources.get("gres")),
        ("--constraint={}", resources.get("constraint")),
        ("{}", resources.get("slurm_extra")),
    ]
    return number, " ".join(option.format(value) for option, value in options if value)


def show_submissions():
    """After a dry run: what sbatch would be asked for. Snakemake shows it of no job with a message."""
    if not (submits() and workflow.dryrun and workflow.scheduler):
        return
    columns = ["_cores", "mem_mb", "runtime"]
    lines = Counter(
        (name, *(resources.get(column) or "" for column in columns), *asked_beside(resources))
        for name, resources in submissions()
    )
    print(f"{'number':>6} {'cpus':>5} {'MiB':>7} {'minutes':>8} {'gpu':>4}  of what")
    for (name, cpus, memory, minutes, gpu, extra), number in sorted(lines.items()):
        print(f"{number:>6} {cpus:>5} {memory:>7} {minutes:>8} {gpu:>4}  {name} {extra}".rstrip())
    print(f"{lines.total():>6} submissions; a retry asks for twice the memory and the time")


atexit.register(show_submissions)
