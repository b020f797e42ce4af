"""The results grid as a table: for machines with all columns, for people as the paper prints it."""

from typing import Any

import pandas

from sparsesum.experiment import patterns
from sparsesum.experiment.evaluated import METRICS, SPLITS

PAPER_COLUMNS = [
    "model",
    "finetuning",
    "pruner",
    "sparsity",
    "validation_rouge",
    "validation_bertscore",
    "test_rouge",
    "test_bertscore",
    "inference_seconds",
    "nonzero_parameters",
    "size_mb",
]
"""The columns of the published table, in its order. Its Rouge is ROUGE-Lsum."""

READ = {
    "Fact F1": ("fact_f1", 3),
    "Unsupported": ("unsupported", 3),
    "rep-4": ("rep_4", 3),
    "Longest copy": ("longest_copy", 1),
    "Blank": ("blank_share", 2),
    "Cut off": ("cut_off_share", 2),
}
"""What the second table has of each split: metric and digits."""


def _scores(split: str, summary: dict[str, Any]) -> dict[str, Any]:
    """The columns of one split: means, their intervals, shares."""
    cells = {f"{split}_examples": summary["examples"]}
    figures = [name for name, figure in summary.items() if isinstance(figure, dict)]
    # First those that the paper has, in its order.
    for metric in sorted(figures, key=lambda name: name not in METRICS):
        for figure, ending in (("mean", ""), ("low", "_low"), ("high", "_high")):
            value = summary[metric][figure]
            name = f"{split}_{METRICS.get(metric, metric)}{ending}"
            cells[name] = None if value is None else round(value, 4)
    for share in ("blank_share", "cut_off_share"):
        for name in (share, f"{share}_low", f"{share}_high"):
            cells[f"{split}_{name}"] = round(summary[name], 4)
    return cells


def grid(
    rows: list[list[str]],
    scores: list[dict[str, Any]],
    costs: list[dict[str, Any]],
    training: list[dict[str, Any] | None],
    preset: str,
    corpus: str,
) -> pandas.DataFrame:
    """One line a row, in the grid's order: the paper's columns, then all others.

    `rows`: model, finetuning, pruner, sparsity; `training` is None for a row that was not trained.
    """
    lines = []
    for row, score, cost, trained in zip(rows, scores, costs, training, strict=True):
        line = dict(zip(PAPER_COLUMNS[:4], row, strict=True))  # type: dict[str, Any]
        for split in SPLITS:
            line |= _scores(split, score[split])
        line |= {key: value for key, value in cost.items() if not key.startswith("ms_per_token")}
        for engine in ("dense", "int8", "transformers"):
            line[f"ms_per_token_{engine}"] = cost["ms_per_token"].get(engine)
        line["training_seconds"] = trained and trained["seconds"]
        line["training_peak_memory_mb"] = trained and trained["peak_memory_mb"]
        lines.append(line | {"corpus": corpus, "preset": preset})
    frame = pandas.DataFrame(lines)
    further = [name for name in frame.columns if name not in PAPER_COLUMNS]
    return frame[PAPER_COLUMNS + further]


def _interval(line: pandas.Series, name: str) -> str:
    if pandas.isna(line[name]):
        return ""
    half = (line[f"{name}_high"] - line[f"{name}_low"]) / 2
    return f"{line[name]:.3f} ±{half:.3f}"


def _plain(value: float, digits: int) -> str:
    return "none" if pandas.isna(value) else f"{value:.{digits}f}"


def markdown(frame: pandas.DataFrame, note: str) -> str:
    """The table as the paper prints it, with half of each 95 % interval, and the protocol."""
    printed = pandas.DataFrame(
        {
            "Model": frame["model"],
            "Fine-tuning": frame["finetuning"],
            "Pruning": frame["pruner"],
            "Sparsity": frame["sparsity"],
            "Val. ROUGE": [_interval(line, "validation_rouge") for _, line in frame.iterrows()],
            "Val. BERTScore": [
                _interval(line, "validation_bertscore") for _, line in frame.iterrows()
            ],
            "Test ROUGE": [_interval(line, "test_rouge") for _, line in frame.iterrows()],
            "Test BERTScore": [_interval(line, "test_bertscore") for _, line in frame.iterrows()],
            "Inference [s]": frame["inference_seconds"].map("{:.2f}".format),
            "Nonzero parameters": frame["nonzero_parameters"].map("{:,}".format),
            "Size [MiB]": frame["size_mb"].map("{:.2f}".format),
        }
    )
    read = frame[PAPER_COLUMNS[:4]].set_axis(list(printed.columns[:4]), axis="columns")
    for name, (metric, digits) in READ.items():
        both = [
            frame[f"{split}_{metric}"].map(lambda value, d=digits: _plain(value, d))
            for split in SPLITS
        ]
        read[name] = both[0] + " / " + both[1]
    first = frame.iloc[0]
    devices = sorted(set(frame["device"]))
    mixed = " (MIXED: times of different machines do not compare)" if devices[1:] else ""
    engine = "int8" if (frame["engine"] == "int8").any() else "dense"
    sizes = " and ".join(map(str, sorted(set(frame["batch_size"]))))
    return (
        f"# Results grid, preset {first['preset']}\n\n"
        f"{note.strip()}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        f"ROUGE is ROUGE-Lsum (the published column). ± is half of a bootstrap 95 % interval over "
        f"{first['validation_examples']} validation and {first['test_examples']} test examples of "
        f"{first['corpus']}.\nInference is the time to generate for both splits, loading and "
        f"scoring left out: {' / '.join(devices)}{mixed}, {first['dtype']}, batch size "
        f"{sizes}, 8-bit weights multiplied {engine}. "
        "Size is the bytes of the files needed to deploy the row. "
        f"{patterns.MEANING}\n\n"
        f"## What the summaries say\n\n"
        f"{read.to_markdown(index=False, disable_numparse=True)}\n\n"
        "Means over the same examples, validation / test. Fact F1: the reference's numbers, years, "
        "amounts and names\nthat a summary states in its own words; copying, repeating and silence "
        "do not raise it. Unsupported: the share\nof a summary's facts that are not in the bill. "
        "rep-4: the share of its runs of four words that stood before.\nLongest copy: words in a "
        "row that are the bill's.\n"
    )
