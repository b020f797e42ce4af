"""What made the results, for people: of all records what a reader asks for first."""

from collections import Counter
from typing import Any

import pandas


def markdown(found: dict[str, Any], preset: str, note: str) -> str:
    """`lineage.gathered` as a page: commits, machines, versions, and the hash of each result."""
    jobs = Counter(job["rule"] for job in found["jobs"].values())
    commits = [
        f"{commit['commit']}{'' if commit['clean'] else ', with changes that are in no commit'}"
        for commit in found["git"]
    ]
    machines = [
        f"{machine['system']}, Python {machine['python']} ({machine['host']})"
        for machine in found["machine"]
    ]
    mixed = [
        f"The jobs were run with {len(found[key])} {name}: what they share is not all that made "
        "them."
        for key, name in (
            ("git", "states of the code"),
            ("machine", "machines"),
            ("versions", "sets of versions"),
        )
        if len(found[key]) > 1
    ]
    sections = {
        "Code": _list(commits or ["not in a Git repository"]),
        "Machines and devices": _list([*machines, *found["device"]]),
        "Versions": "\n\n".join(
            _table(["Package", "Version"], sorted(versions.items()))
            for versions in found["versions"]
        ),
        "Results": _table(["File", "SHA-256"], list(found["results"].items())),
        "Jobs that led to them": _table(["Rule", "Jobs"], sorted(jobs.items())),
    }
    return (
        f"# What made the results, preset {preset}\n\n"
        f"{note.strip()}\n\n"
        + "".join(f"**{line}**\n\n" for line in mixed)
        + f"All {jobs.total()} records, with the hash of every input and output, are in "
        "results/provenance.json. `snakemake verify` hashes\neverything again.\n\n"
        + "\n\n".join(f"## {head}\n\n{text}" for head, text in sections.items())
        + "\n"
    )


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(heads: list[str], lines: list[tuple[Any, ...]]) -> str:
    frame = pandas.DataFrame(lines, columns=heads)
    return frame.to_markdown(index=False, disable_numparse=True)
