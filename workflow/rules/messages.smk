"""
What a run says: at its start what it will make and how long that takes, then one line that says how
far it is, at its end the table or the summaries, or what failed. Snakemake's own messages, the reason
of each job among them, go to its log alone (.snakemake/log/); with --verbose, on a cluster and in a
dry run they are on the terminal, as ever.
"""

import logging
import shutil
import threading

from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

from sparsesum.jobs import overview

# By the word for it, the rules of which each row has a job.
STEPS = {"trained": METHODS, "scored": ["score"], "measured": ["measure"]}
SAID_ELSEWHERE = {
    *(LogEvent.WORKFLOW_STARTED, LogEvent.RUN_INFO, LogEvent.RESOURCES_INFO, LogEvent.SHELLCMD),
    *(LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS),
}
CHATTER = (
    *("Building DAG", "Assuming unrestricted", "Using shell", "host: ", "Group jobs: inactive"),
    *("Conda environments: ignored", "Select jobs to execute", "Execute "),
    *("Singularity containers: ignored", "Storing output in storage", "Updating job"),
)


class RunLine(logging.Handler):
    """One line for the whole run: rewritten each second on a terminal, else said now and then."""

    EVERY = 20.0

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.on_terminal = sys.stderr.isatty()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.repeat, daemon=True)

    def emit(self, record):
        """Snakemake's loggers call this with each of its events."""
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_STARTED:
            for number in record.jobs:
                self.run.begin(number)
        elif event == LogEvent.JOB_FINISHED:
            self.run.end(record.job_id)

    def repeat(self):
        said = ""
        while not self.over.wait(1.0 if self.on_terminal else self.EVERY):
            with self.lock:  # `emit` is called with it, by another thread
                line = self.run.line()
            if self.on_terminal:  # a longer line would wrap, and could not be rewritten
                line = line[: shutil.get_terminal_size().columns - 1]
            if line != said:
                said = line
                start, end = ("\r\x1b[K", "") if self.on_terminal else ("", "\n")
                print(f"{start}{line}", end=end, file=sys.stderr, flush=True)

    def clear(self):
        """Make room for another message."""
        if self.on_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def stop(self):
        self.over.set()
        self.clear()


def overviewed():
    """Whether this is a run, and here: known once there is an executor, after the rules are read."""
    return (
        workflow.is_main_process
        and not workflow.output_settings.verbose
        and workflow.executor_plugin is not None
        and not (workflow.dryrun or workflow.touch or submits())
    )


def plain(record):
    """Whether a message of Snakemake's is for the terminal as well."""
    if record.levelno > logging.INFO:
        if RUN_LINE:
            RUN_LINE[0].clear()
        return True
    event = getattr(record, "event", None)
    if not overviewed():  # or not known yet, as when it says what it is
        return event != LogEvent.WORKFLOW_STARTED
    return event not in SAID_ELSEWHERE and not record.getMessage().startswith(CHATTER)


FEW = 4
# While more jobs run, the one line about them.
RUN_LINE = []
if workflow.is_main_process and not workflow.output_settings.verbose:
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(plain)


def planned():
    """The jobs that will run, as `overview` wants them, and how much slower this machine is."""
    known = overview.durations(ROOT / "resources" / "durations.tsv")
    slower = overview.probe() / known[overview.PROBE]
    if config["preset"] != "embedded":
        known = {}  # they are of other models
    cores = workflow.cores or 1
    jobs = {}
    for job in workflow.dag.needrun_jobs():
        seconds = known.get(job.rule.name)
        if job.benchmark and (before := overview.benchmark(Path(job.benchmark))):
            seconds = before / slower  # it was measured here
        share = min(job.threads, cores) / cores
        jobs[job.jobid] = overview.Planned(job.rule.name, share, seconds)
    return jobs, slower


def begin_overview():
    """Say what will be made, and from now on how far it is."""
    jobs, slower = planned()
    run = overview.Overview(jobs, STEPS, slower)
    print(run.plan(f"Preset {config['preset']}", workflow.cores or 1), file=sys.stderr)
    if len(jobs) <= FEW:
        return  # they speak for themselves
    RUN_LINE.append(RunLine(run))
    logger.addHandler(RUN_LINE[0])
    RUN_LINE[0].thread.start()
    # Jobs say what is wrong; how far each is, is in their logs.
    os.environ["SPARSESUM_TERMINAL"] = "WARNING"


def end_overview():
    for line in RUN_LINE:
        line.stop()


onsuccess:
    end_overview()
    # The jobs of this run's targets and of all that they need.
    made = {job.rule.name for job in workflow.dag.jobs}
    if "table3" in made:
        # The grid, and what it shows; the file goes on.
        text = Path("results/table3.md").read_text(encoding="utf-8").partition("\n## ")[0]
        where = "This table: results/table3.md; with all columns: results/table3.csv"
        print(f"{text.lstrip('# ')}\n{where}", file=sys.stderr)
    for name in sorted(made & {"table_pruning", "table_compression"}):
        table = Path(f"results/{name}.md")
        heading = table.read_text(encoding="utf-8").splitlines()[0]
        print(f"{heading.lstrip('# ')}: {table} and .csv", file=sys.stderr)
    for job in workflow.dag.jobs:
        if job.rule.name == "summaries_page":
            print(Path(job.output.terminal).read_text(encoding="utf-8"), file=sys.stderr)
            print(f"On a page: {job.output.page}", file=sys.stderr)
    if "browse" in made:
        print("To read the outputs: results/browse.html", file=sys.stderr)
    if "report" in made:
        print("All in one file: snakemake report --report results/report.zip", file=sys.stderr)


onerror:
    end_overview()
    lines = [
        line.strip()
        for path in log
        for line in Path(path).read_text("utf-8", "replace").splitlines()
    ]
    failed = dict.fromkeys(line for line in lines if ": error: " in line)
    if failed:
        print("What failed:", *failed, sep="\n  ", file=sys.stderr)
