"""Snakemake as `python -m snakemake` runs it, but for its imports: a fork of a process.

That process has Snakemake and its plugins, and nothing of this project: a copy's rules import the
copy's modules. It starts with the first use and ends with pytest. Its jobs are forks as well
(forked_jobs.py). What a test kills or interrupts is a true command, `Project.start`, and its jobs
are true; test_determinism.py compares all that both make for `all`, to the byte. Of other targets
each test has what it is about made by a true command: a job there has no import but its own.
"""

import atexit
import gc
import importlib
import json
import os
import random
import runpy
import select
import subprocess
import sys
import tempfile
from pathlib import Path

JOBS = Path(__file__).with_name("forked_jobs.py")
MODULES = """
    snakemake.cli snakemake.executors.local snakemake.executors.dryrun docutils.core sqlmodel
    snakemake.report.html_reporter snakemake_executor_plugin_slurm pandas pulp psutil jsonschema
""".split()

LONGEST = 900
"""Seconds after which a run is taken for one that hangs; none takes a third of it."""


class Server:
    """Runs Snakemake, one at a time."""

    def __init__(self) -> None:
        self.process = None

    def start(self, environment: dict[str, str]) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="jobs-")
        self.socket = f"{self.folder.name}/socket"
        self.hub = hub(environment)
        null = subprocess.DEVNULL
        self.jobs = subprocess.Popen(
            [sys.executable, JOBS, "serve", self.socket],
            stdin=null,
            stdout=null,
            stderr=null,
            # Its libraries read their variables once, and it finds `lean` where the tests do.
            env=environment | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        )
        # A job looks for a process above it with the word `snakemake`, and ends with it.
        self.process = subprocess.Popen(
            [sys.executable, __file__, "snakemake"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        atexit.register(self.stop)

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.jobs.terminate()
        self.jobs.wait()
        self.folder.cleanup()

    def run(
        self, arguments: list[str], folder: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess:
        """Run Snakemake in a folder; `stdout` has both of its streams."""
        if self.process is None:
            self.start(environment)
        # The Hub's client reads its variables when it is imported: with others, jobs are true.
        jobs = self.socket if hub(environment) == self.hub else None
        with tempfile.NamedTemporaryFile("r") as output:
            asked = [arguments, str(folder), dict(environment), output.name, jobs]
            self.process.stdin.write(json.dumps(asked) + "\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], LONGEST)[0]:
                self.process.kill()
                raise TimeoutError(f"{arguments}: not ended after {LONGEST} s:\n{output.read()}")
            code = int(self.process.stdout.readline())
            return subprocess.CompletedProcess(arguments, code, output.read())


def hub(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("HF_")}


def serve() -> None:
    """Answer each line on stdin, which says what to run, with an exit code on stdout."""
    for name in MODULES:
        importlib.import_module(name)
    gc.freeze()
    while line := sys.stdin.readline():
        if not (child := os.fork()):
            become(*json.loads(line))
            break
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def become(
    arguments: list[str], folder: str, environment: dict[str, str], output: str, jobs: str | None
) -> None:
    """Make this process what `python -m snakemake` with these arguments is."""
    for fd, name in enumerate((os.devnull, output, output)):
        os.dup2(os.open(name, os.O_RDWR | os.O_APPEND), fd)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    sys.path[0] = folder
    sys.argv = ["", *arguments]
    if jobs:
        from snakemake.script import PythonScript

        def execute(script, fname: str, edit: bool = False) -> None:
            command = "{sys.executable:q} -IS {JOBS:q} {jobs:q} {fname:q}"
            script._execute_cmd(command, sys=sys, JOBS=JOBS, jobs=jobs, fname=fname)

        PythonScript.execute_script = execute
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve()
