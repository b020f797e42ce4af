"""The published table, figure by figure, beside what a correct count or our own run gives.

Where a published figure is not what its column says, the audit looks for the arithmetic that does
give it. That arithmetic is made here from shapes and protocol; the published figures are data.
Source: "Pruning OPT for Summarization", table 3, its authors' notebooks and model cards.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sparsesum.experiment.grid import COLUMNS, NONE, Row
from sparsesum.experiment.patterns import parse
from sparsesum.models.shapes import Counts

MIB = 2**20
SIZE_TOLERANCE = 0.5
"""MiB: the published folders hold a tokenizer and configuration beside the weights."""
COUNT_TOLERANCE = 0.01
"""Share: a count in an artifact leaves out the zeros that the model had before."""

SCORES = ["validation_rouge", "validation_bertscore", "test_rouge", "test_bertscore"]
REPRODUCED, EXPLAINED, DIFFERS = "reproduced", "explained", "differs"
VERDICTS = [REPRODUCED, EXPLAINED, DIFFERS]

Figure = tuple[float, str]
"""A value, and the arithmetic that gives it."""


def correct(row: Row, counts: Counts) -> dict[str, Figure]:
    """Nonzero parameters, and MiB of weights, that a row has by its shape and pattern."""
    total, adapter = counts.parameters, counts.adapter
    value, how = total, f"all parameters = {total:,}"
    if row.pruner != NONE:
        zeros = round(counts.prunable * parse(row.sparsity).ratio)
        value, how = value - zeros, f"{how} - {zeros:,} of the decoder's {counts.prunable:,} Linear"
    if row.finetuning != "qlora":
        return {
            "nonzero_parameters": (value, how),
            "size_mb": (4 * total / MIB, f"float32 weights: 4 x {total:,} bytes"),
        }
    return {
        "nonzero_parameters": (value + adapter, f"{how} + adapter of {adapter:,}"),
        "size_mb": (
            (counts.int8_bytes + 4 * adapter) / MIB,
            f"int8 base of {counts.int8_bytes:,} bytes + adapter, 4 x {adapter:,}",
        ),
    }


def mistaken(row: Row, counts: Counts) -> dict[str, Figure]:
    """The same two figures as the authors seem to have come by them; none where they were right."""
    total, adapter = counts.parameters, counts.adapter
    figures: dict[str, Figure] = {}
    if row.finetuning == "qlora":
        figures["size_mb"] = (
            (4 * total + 2 * 4 * adapter) / MIB,
            f"the float32 base, not the int8 one, and the adapter twice: 4 x {total:,} + 2 x 4 x "
            f"{adapter:,} bytes",
        )
    else:
        figures["size_mb"] = (
            2 * 4 * total / MIB,
            f"the float32 weights twice, as links and as blobs: 2 x 4 x {total:,} bytes",
        )
    if row.pruner != NONE:
        kept = 1 - parse(row.sparsity).ratio
        extra = adapter if row.finetuning == "qlora" else 0
        figures["nonzero_parameters"] = (
            total * kept + extra,
            f"{kept:.0%} of all parameters, embeddings and norms too: {kept:g} x {total:,}"
            + (f" + adapter of {extra:,}" if extra else ""),
        )
    return figures


def evaluated(row: Row, counts: Counts) -> int:
    """Nonzero parameters of the model that the authors' notebook scored for a row.

    It put each adapter on the dense base, so a pruned row's was as dense as an unpruned one's.
    """
    return counts.parameters + (counts.adapter if row.finetuning == "qlora" else 0)


def _tolerance(column: str, value: float, count: float) -> float:
    return SIZE_TOLERANCE if column == "size_mb" else count * value


def _verdict(
    column: str, ours: float, published: float, mistake: Figure | None, count: float
) -> tuple[str, str]:
    """The verdict on one count or size, and the arithmetic of the mistake that explains it."""
    if abs(ours - published) <= _tolerance(column, ours, count):
        return REPRODUCED, ""
    if mistake and abs(mistake[0] - published) <= _tolerance(column, mistake[0], 0):
        return EXPLAINED, mistake[1]
    return DIFFERS, ""


def audit_counts(
    lines: Mapping[Row, Mapping[str, Any]], shapes: Mapping[str, Counts]
) -> list[dict[str, Any]]:
    """Counts and sizes of the published rows against their shapes: one record a row and column.

    published, correct and its arithmetic, difference (correct - published), verdict; derived: the
    published figure derived by the mistake that explains it, and that arithmetic; evaluated:
    nonzero parameters of the model that was scored. `shapes` by model. Counts must agree exactly.
    """
    records = []
    for row, line in lines.items():
        counts = shapes[row.model]
        mistakes = mistaken(row, counts)
        for column, (value, how) in correct(row, counts).items():
            published = float(line[column])
            verdict, explanation = _verdict(column, value, published, mistakes.get(column), 0)
            records.append(
                {name: getattr(row, name) for name in COLUMNS}
                | {
                    "column": column,
                    "published": published,
                    "correct": round(value, 2),
                    "difference": round(value - published, 2),
                    "verdict": verdict,
                    "correct_arithmetic": how,
                    "derived": round(mistakes[column][0], 2) if explanation else None,
                    "derived_arithmetic": explanation,
                    "evaluated": evaluated(row, counts) if column != "size_mb" else None,
                }
            )
    return records


def audit(
    lines: Mapping[Row, Mapping[str, Any]],
    ours: Mapping[Row, Mapping[str, Any]],
    shapes: Mapping[str, Counts],
    adapter_base: str,
) -> list[dict[str, Any]]:
    """Every published figure against our run's: one record a row and column.

    `ours`: our table's lines. A score is reproduced where the published one lies in our 95 %
    interval; a size within 0.5 MiB; a count within 1 %. `adapter_base` says which base our pruned
    rows were scored on: "pruned", or "dense" as the authors'.
    """
    records = []
    for row, line in lines.items():
        own, mistakes = ours[row], mistaken(row, shapes[row.model])
        for column in [*SCORES, "inference_seconds", "nonzero_parameters", "size_mb"]:
            value, published = float(own[column]), float(line[column])
            low = high = None
            if column in SCORES:
                low, high = float(own[f"{column}_low"]), float(own[f"{column}_high"])
                verdict, why = (REPRODUCED if low <= published <= high else DIFFERS), ""
                if verdict == DIFFERS and row.pruner != NONE and adapter_base == "pruned":
                    why = "the authors scored this adapter on the dense base: see published.yaml"
            elif column == "inference_seconds":
                verdict = DIFFERS
                why = (
                    "not the same quantity: theirs covers loading, ROUGE and BERTScore, one "
                    f"example at a time; ours generation alone, on {own['device']}"
                )
            else:
                verdict, why = _verdict(
                    column, value, published, mistakes.get(column), COUNT_TOLERANCE
                )
            records.append(
                {name: getattr(row, name) for name in COLUMNS}
                | {
                    "column": column,
                    "published": published,
                    "ours": value,
                    "difference": round(value - published, 4),
                    "low": low,
                    "high": high,
                    "verdict": verdict,
                    "explanation": why,
                }
            )
    return records


def _table(records: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """A Markdown table of some keys of the records, under their names for people."""
    import pandas  # Heavy: for who prints.

    frame = pandas.DataFrame(
        [{name: _printed(record[key]) for key, name in names.items()} for record in records]
    )
    return frame.to_markdown(index=False, disable_numparse=True)


def _printed(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, float | int):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


_ROW = {
    "model": "Model",
    "finetuning": "Fine-tuning",
    "pruner": "Pruning",
    "sparsity": "Sparsity",
    "column": "Column",
    "published": "Published",
}


def counts_markdown(
    records: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> str:
    """The audit of counts and sizes, and the findings, for people."""
    tally = {verdict: sum(r["verdict"] == verdict for r in records) for verdict in VERDICTS}
    lines = [
        "# Audit of the published counts and sizes",
        "",
        "From the models' shapes alone, without weights. "
        + ", ".join(f"{count} {verdict}" for verdict, count in tally.items())
        + ". Explained: not what the column says, but derived by the arithmetic shown.",
        "",
        _table(
            records,
            _ROW
            | {
                "correct": "Correct",
                "verdict": "Verdict",
                "derived": "Derived",
                "derived_arithmetic": "As published =",
                "evaluated": "Nonzero when scored",
            },
        ),
        "",
        "Sizes are MiB of weights; published ones hold up to 0.5 MiB of other files. "
        "Nonzero when scored: of the model that the authors' notebook ran, adapter on dense base.",
        "",
        "## Findings",
    ]
    for number, finding in enumerate(found, start=1):
        lines += [
            "",
            f"{number}. **{finding['finding']}.**",
            *(f"   - {key}: {finding[key]}" for key in ("published", "derived", "correct")),
        ]
    return "\n".join(lines) + "\n"


def markdown(records: Sequence[Mapping[str, Any]], preset: str, note: str) -> str:
    """The audit of every published figure, for people."""
    tally = {verdict: sum(r["verdict"] == verdict for r in records) for verdict in VERDICTS}
    table = _table(
        records,
        _ROW
        | {
            "ours": "Ours",
            "difference": "Difference",
            "low": "Low",
            "high": "High",
            "verdict": "Verdict",
            "explanation": "Explanation",
        },
    )
    return (
        f"# Audit of the published table, preset {preset}\n\n{note.strip()}\n\n"
        + ", ".join(f"{count} {verdict}" for verdict, count in tally.items())
        + ". A score is reproduced where the published one lies within our 95 % interval, a size "
        "within 0.5 MiB, a count within 1 %.\n\n"
        f"{table}\n"
    )
