"""What a job of each rule takes, from a finished run in this folder: resources/durations.tsv.

    make table3 report
    .venv/bin/python benchmarks/durations.py "embedded preset, COMMIT, DATE, MACHINE" \
        > resources/durations.tsv

The mean over a rule's jobs, by the benchmarks that Snakemake wrote; and this machine's `probe`, by
which another machine guesses its own.
"""

import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))

from sparsesum.jobs import overview


def main() -> None:
    found = defaultdict(list)
    folder = Path("results/benchmarks")
    for file in sorted(folder.rglob("*.tsv")):
        first, *rest = file.relative_to(folder).with_suffix("").parts
        # An artifact's folder has its rule's name; pictures share one.
        rule = rest[-1] if first == "plots" else first
        if (seconds := overview.benchmark(file)) is not None:
            found[rule].append(seconds)
    if not found:
        sys.exit(f"{folder}: no benchmarks; run `make table3 report` first")
    print(f"# Seconds of a job of each rule, {' '.join(sys.argv[1:])}.")
    print("# Written by benchmarks/durations.py.")
    print("rule\tseconds")
    print(f"{overview.PROBE}\t{overview.probe():.4f}")
    for rule, seconds in sorted(found.items()):
        print(f"{rule}\t{fmean(seconds):.1f}")


if __name__ == "__main__":
    main()
