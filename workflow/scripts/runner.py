"""What every script does with Snakemake's job object: messages, faults, provenance."""

# Before anything else is imported.
from sparsesum.jobs import lean

lean.begin()

# ruff: noqa: E402
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from sparsesum.jobs import provenance
from sparsesum.jobs.job import job as reported


@contextmanager
def job(snakemake, hub: bool = False) -> Iterator[provenance.Record]:
    """Run a script's work; at its end the output `provenance` says what made the other outputs.

    It begins once no other process is at the same job, and ends with the Snakemake that started it.
    The process ends here, with the job: nothing comes after it in a script.
    """
    code = 0
    try:
        with _whole(snakemake, hub) as record:
            yield record
    except SystemExit as end:  # `reported` has said what was wrong
        code = end.code
    lean.leave(code)


@contextmanager
def _whole(snakemake, hub: bool) -> Iterator[provenance.Record]:
    """A job but for its process's end."""
    _end_with_snakemake()
    outputs = [str(path) for path in snakemake.output]
    written = snakemake.output.get("provenance")
    details = [value for key, value in snakemake.wildcards.items() if key != "corpus"]
    name = " ".join([snakemake.rule, *details])
    with reported(name, snakemake.log[0], outputs[0] if outputs else "done", hub):
        record = provenance.begin(
            rule=snakemake.rule,
            wildcards=dict(snakemake.wildcards.items()),
            params=dict(snakemake.params.items()),
            inputs=[str(path) for path in snakemake.input],
            code=snakemake.params.get("code", {}),
        )
        with record.held:
            yield record
            if written:
                record.write(written, [path for path in outputs if path != written])


def _end_with_snakemake() -> None:
    """End this process when the Snakemake that started it is gone.

    Otherwise a job of a killed Snakemake would go on beside the jobs of the next one.
    """
    above = psutil.Process().parents()
    started_by = next((process for process in above if _is_snakemake(process)), None)
    if started_by is None:
        return

    def watch() -> None:
        while started_by.is_running() and started_by.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
        psutil.Process().kill()

    threading.Thread(target=watch, daemon=True).start()


def _is_snakemake(process: psutil.Process) -> bool:
    try:
        return any(Path(word).name == "snakemake" for word in process.cmdline())
    except psutil.Error:
        return False
