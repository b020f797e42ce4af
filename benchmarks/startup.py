"""What a job spends on starting and ending: a process that imports what its script's job imports.

    .venv/bin/python benchmarks/startup.py [--only NAME,NAME] [FOLDER ...]

Each FOLDER is a clone of the project, by default this one. Each is timed with its own code, by
turns with the others, three times; the table has medians, from the process's start to its end: wall
time, and processor time, which is less moved by what else runs. Of a folder with results/logs it
says what share of its jobs that is. Run it with nothing else running.
"""

import argparse
import ast
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3

ENCODER = """
import sys
from sparsesum.scoring import encoder, similarity
scores.modules()
from sparsesum.scoring import hidden_states
hidden_states.load(encoder.minilm_folder(), 6, "cpu")
"""
MORE = {"examples": ENCODER, "cheats": ENCODER}
"""What a job imports by other means than import statements."""

PROCESS = """
import runner, sys, time
start = time.perf_counter()
{imports}
print(time.perf_counter() - start)
try:
    from sparsesum.jobs.lean import leave
except ImportError:
    leave = sys.exit
leave(0)
"""


def imports(script: Path) -> str:
    """The import statements of a script and of its functions, one a line, in their order.

    Not those within an `if`, which few of its jobs reach.
    """
    bodies = [ast.parse(script.read_text()).body]
    bodies += [node.body for node in bodies[0] if isinstance(node, ast.FunctionDef)]
    nodes = [node for body in bodies for node in body if is_import(node)]
    return "\n".join(map(ast.unparse, nodes)) + MORE.get(script.stem, "")


def is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def processor() -> float:
    """Processor time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(folder: Path, script: str) -> tuple[float, float, float]:
    """Of one process: wall and processor time of all of it, wall time of the job's own imports."""
    scripts = folder / "workflow" / "scripts"
    code = PROCESS.format(imports=imports(scripts / f"{script}.py"))
    environment = os.environ | {"PYTHONPATH": str(scripts), "TQDM_DISABLE": "1"}
    environment |= {"HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    start, before = time.perf_counter(), processor()
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True
    )
    whole = time.perf_counter() - start
    return whole, processor() - before, float(done.stdout.split()[-1])


def logged(folder: Path, script: str) -> list[float]:
    """The seconds that each of a script's jobs says it took, its imports included."""
    place = folder / "results" / "logs"
    logs = [*(place / script).rglob("*.log"), *place.glob(f"{script}.log")]
    ends = (re.search(r", after ([\d.]+) s\s*$", log.read_text()) for log in logs)
    return [float(end[1]) for end in ends if end]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[ROOT])
    parser.add_argument("--only", help="scripts' names, with commas between them")
    given = parser.parse_args()
    folders = [folder.resolve() for folder in given.folders]
    names = sorted(path.stem for path in (folders[0] / "workflow" / "scripts").glob("*.py"))
    wanted = given.only.split(",") if given.only else [n for n in names if n != "runner"]
    spent = {(folder, name): logged(folder, name) for folder in folders for name in wanted}
    if not given.only and any(spent.values()):
        wanted = [name for name in wanted if any(spent[folder, name] for folder in folders)]
    for i, folder in enumerate(folders):
        print(f"[{i}] {folder}")
    print(f"{'script':<16}", *(f"{f'[{i}] wall':>8} {'cpu':>8}" for i in range(len(folders))))
    totals = {folder: [0.0, 0.0] for folder in folders}
    for name in wanted:
        times = {folder: [] for folder in folders}
        for _ in range(RUNS):
            for folder in folders:
                times[folder].append(seconds(folder, name))
        line = []
        for folder in folders:
            whole, used, inner = (median(column) for column in zip(*times[folder], strict=True))
            jobs = spent[folder, name]
            totals[folder][0] += whole * len(jobs)
            # A log's seconds are without the start before its job and the end after it.
            totals[folder][1] += sum(max(s - inner, 0) + whole for s in jobs)
            line.append(f"{whole:>6.2f} s {used:>6.2f} s")
        print(f"{name:<16}", *line, flush=True)
    for i, folder in enumerate(folders):
        start, everything = totals[folder]
        if everything:
            share = start / everything
            print(f"[{i}] start and end: {start:.0f} s of {everything:.0f} s of jobs, {share:.0%}")


if __name__ == "__main__":
    main()
