"""What a complete run spends on starting jobs: the imports of each script, times its jobs.

    .venv/bin/python benchmarks/startup.py

Reads how many jobs each rule had, and how long they took, from results/logs/; times each script's
imports in a fresh interpreter (median of three). Run it with nothing else running.
"""

import ast
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "workflow" / "scripts"


def imports(script: Path) -> str:
    """The import statements of a script and of its functions, one a line."""
    tree = ast.parse(script.read_text())
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in nodes)


def seconds(code: str) -> float:
    """Seconds that a fresh interpreter needs for some code."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={"PYTHONPATH": str(SCRIPTS), "TQDM_DISABLE": "1"},
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def main() -> None:
    total_start = total_all = 0.0
    print(f"{'rule':<12} {'jobs':>4} {'start-up':>9} {'of each':>8} {'all work':>9}")
    for script in sorted(SCRIPTS.glob("*.py")):
        place = ROOT / "results" / "logs" / script.stem
        logs = [*place.rglob("*.log"), *place.parent.glob(f"{script.stem}.log")]
        spent = [
            float(found[1])
            for log in logs
            if (found := re.search(r", after ([\d.]+) s\s*$", log.read_text()))
        ]
        if not spent:
            continue
        code = imports(script)
        if script.stem == "examples":  # evaluate and bert-score are imported by the metrics
            code += "\nfrom sparsesum.scores import modules\nmodules()"
        start = median(seconds(code) for _ in range(3))
        work = max(sum(spent) - len(spent) * start, 0)
        print(
            f"{script.stem:<12} {len(spent):>4} {start * len(spent):>7.1f} s {start:>6.2f} s "
            f"{work:>7.1f} s"
        )
        total_start += start * len(spent)
        total_all += start * len(spent) + work
    print(f"start-up is {total_start:.0f} s of {total_all:.0f} s of jobs: ", end="")
    print(f"{total_start / total_all:.0%}")


if __name__ == "__main__":
    main()
