"""What is wrong with the published table, in five findings, each derived from data and shapes.

Source: "Pruning OPT for Summarization", table 3, its authors' notebooks and model cards.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from sparsesum.evidence.audit import correct, evaluated, mistaken
from sparsesum.experiment.grid import NONE, Row
from sparsesum.experiment.published_table import row_of
from sparsesum.models.shapes import Counts


def findings(
    lines: Mapping[Row, Mapping[str, Any]],
    shapes: Mapping[str, Counts],
    cards: Sequence[Mapping[str, Any]],
    splits: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, str]]:
    """The five findings about the published table, each: finding, published, derived, correct.

    `cards`: test_rougeL and test_rougeLsum of some rows' model cards; `splits`: this protocol's,
    each with the source's split it is taken `from`.
    """
    return [
        _half_of_everything(lines, shapes),
        _counted_twice(lines, shapes),
        _dense_base(lines, shapes),
        _rouge(lines, cards),
        _swapped(lines, splits),
    ]


def _each(rows: Sequence[Row], text: Callable[[Row], str]) -> str:
    """A text for each model's first such row: "opt-125m: ...; opt-350m: ..."."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row.model, text(row))
    return "; ".join(f"{model}: {words}" for model, words in first.items())


def _half_of_everything(
    lines: Mapping[Row, Mapping[str, Any]], shapes: Mapping[str, Counts]
) -> dict[str, Any]:
    rows = [row for row in lines if row.pruner != NONE]

    def derived(row: Row) -> str:
        value, how = mistaken(row, shapes[row.model])["nonzero_parameters"]
        return f"{value:,.0f} = {how}"

    def right(row: Row) -> str:
        value, how = correct(row, shapes[row.model])["nonzero_parameters"]
        return f"{value:,.0f} = {how}"

    return {
        "finding": "Nonzero parameters of pruned rows are half of all parameters, not a count",
        "published": _each(rows, lambda row: f"{int(lines[row]['nonzero_parameters']):,}"),
        "derived": _each(rows, derived),
        "correct": _each(rows, right),
    }


def _counted_twice(
    lines: Mapping[Row, Mapping[str, Any]], shapes: Mapping[str, Counts]
) -> dict[str, Any]:
    dense = [row for row in lines if row.finetuning != "qlora"]
    eight = [row for row in lines if row.finetuning == "qlora"]

    def sizes(figures: Callable[..., Any]) -> str:
        return " / ".join(
            _each(rows, lambda row: "{:.2f} MiB = {}".format(*figures(row)["size_mb"]))
            for rows in (dense, eight)
        )

    return {
        "finding": "Sizes are float32 weights counted twice; int8 weights were not measured",
        "published": " / ".join(
            _each(rows, lambda row: f"{float(lines[row]['size_mb']):.2f}")
            for rows in (dense, eight)
        ),
        "derived": sizes(lambda row: mistaken(row, shapes[row.model])),
        "correct": sizes(lambda row: correct(row, shapes[row.model])),
    }


def _dense_base(
    lines: Mapping[Row, Mapping[str, Any]], shapes: Mapping[str, Counts]
) -> dict[str, Any]:
    rows = [row for row in lines if row.pruner != NONE and row.finetuning == "qlora"]
    unpruned = {
        row.model: line
        for row, line in lines.items()
        if row.pruner == NONE and row.finetuning == "qlora"
    }

    def ratios(column: str) -> list[float]:
        return [
            float(lines[row][column]) / float(unpruned[row.model][column])
            for row in rows
            if row.model in unpruned
        ]

    times, sizes = ratios("inference_seconds"), ratios("size_mb")
    return {
        "finding": "Pruned rows were scored with their adapter on the dense base",
        "published": (
            f"pruned over unpruned QLoRA rows: time {min(times):.2f} to {max(times):.2f}, "
            f"size {min(sizes):.2f} to {max(sizes):.2f}"
            if times
            else "no unpruned row to compare with"
        ),
        "derived": _each(
            rows,
            lambda row: (
                f"{evaluated(row, shapes[row.model]):,} nonzero parameters were run, as in "
                "the unpruned row"
            ),
        ),
        "correct": _each(
            rows,
            lambda row: "{:,.0f} on the row's own base".format(
                correct(row, shapes[row.model])["nonzero_parameters"][0]
            ),
        ),
    }


def _rouge(
    lines: Mapping[Row, Mapping[str, Any]], cards: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    pairs = [
        (float(line["test_rouge"]), card)
        for card in cards
        for row, line in lines.items()
        if row.path == row_of(card).path
    ]
    if not pairs:
        return {
            "finding": "Which ROUGE was published cannot be told",
            "published": "no row of this grid has a model card",
            "derived": "",
            "correct": "",
        }
    distance = {
        metric: fmean(abs(published - float(card[f"test_{metric}"])) for published, card in pairs)
        for metric in ("rougeL", "rougeLsum")
    }
    nearest = min(distance, key=distance.__getitem__)
    return {
        "finding": f"The ROUGE column lies next to {nearest}",
        "published": "the text says ROUGE-L",
        "derived": ", ".join(
            f"mean distance from the model cards' {metric} {value:.4f}"
            for metric, value in distance.items()
        )
        + f" ({len(pairs)} rows)",
        "correct": f"ours compares {nearest} and keeps all of them",
    }


def _swapped(
    lines: Mapping[Row, Mapping[str, Any]], splits: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    trained = [line for row, line in lines.items() if row.finetuning == "full"]
    gap = [float(line["test_rouge"]) - float(line["validation_rouge"]) for line in trained]
    return {
        "finding": "validation and test are swapped in one sentence of section 3.1",
        "published": "section 3.1: validation from BillSum's US bills, test from California's",
        "derived": (
            f"fully fine-tuned on US bills, test is above validation by {min(gap):.3f} to "
            f"{max(gap):.3f} ROUGE: the US bills are test"
            if gap and min(gap) > 0
            else "the fully fine-tuned rows do not tell"
        ),
        "correct": ", ".join(f"{name} from {split['from']}" for name, split in splits.items()),
    }
