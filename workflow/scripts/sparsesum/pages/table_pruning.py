"""Pruners x patterns as a table: figures that need no generation, beside those that do."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas

from sparsesum.experiment import patterns
from sparsesum.experiment.evaluated import METRICS, SPLITS

STAGES = ["pruned", "qlora"]
"""As pruned, and fine-tuned by QLoRA from there. Of a model's first line: as it is, and QLoRA."""

PERPLEXITIES = ["perplexity", "summary_perplexity"]
ORDER = ["sparsegpt", "wanda", "magnitude"]
"""The pruners' papers: the smallest reconstruction error first."""


def _with_interval(name: str, value: float, low: float, high: float) -> dict[str, Any]:
    return {name: round(value, 4), f"{name}_low": round(low, 4), f"{name}_high": round(high, 4)}


def _reconstruction(errors: pandas.DataFrame) -> dict[str, Any]:
    """The share of zeros, the mean error of all Linears, and that of each kind of Linear."""
    kinds = errors["linear"].str.rpartition(".")[2]
    cells = {
        "zeros": round(errors["zeros"].sum() / errors["weights"].sum(), 6),
        "reconstruction_error": round(errors["error"].mean(), 6),
    }
    for kind, mean in errors["error"].groupby(kinds, sort=False).mean().items():
        cells[f"reconstruction_error_{kind}"] = round(mean, 6)
    return cells


def table(
    rows: Sequence[Sequence[str]],
    reconstruction: Sequence[pandas.DataFrame],
    perplexity: Mapping[str, Sequence[Mapping[str, Any]]],
    scores: Mapping[str, Sequence[Mapping[str, Any]]],
    adapter_base: str,
    corpus: str,
    preset: str,
) -> pandas.DataFrame:
    """One line a checkpoint, in the order of `rows` (model, pruner, sparsity).

    reconstruction: of each row its Linears' errors (linear, error, zeros, weights). perplexity and
    scores: by STAGES, of each row. Columns end in the stage they are of, and 95 % intervals in _low
    and _high: test_rouge_pruned, test_rouge_qlora, test_rouge_qlora_low.
    """
    lines = []
    for i, (row, errors) in enumerate(zip(rows, reconstruction, strict=True)):
        line = dict(zip(("model", "pruner", "sparsity"), row, strict=True))
        line |= _reconstruction(errors)
        for stage in STAGES:
            perplexities, scored = perplexity[stage][i], scores[stage][i]
            for name in PERPLEXITIES:
                ends = (perplexities[key] for key in (name, f"{name}_low", f"{name}_high"))
                line |= _with_interval(f"{name}_{stage}", *ends)
            for split in SPLITS:
                for metric, name in METRICS.items():
                    found = scored[split][metric]
                    ends = (found[key] for key in ("mean", "low", "high"))
                    line |= _with_interval(f"{split}_{name}_{stage}", *ends)
        perplexities, scored = perplexity["pruned"][i], scores["pruned"][i]
        line |= {
            "heldout_tokens": perplexities["tokens"],
            "heldout_sequences": perplexities["sequences"],
            "summary_tokens": perplexities["summary_tokens"],
            "validation_examples": scored["validation"]["examples"],
            "test_examples": scored["test"]["examples"],
            "adapter_base": adapter_base,
        }
        lines.append(line | {"corpus": corpus, "preset": preset})
    return pandas.DataFrame(lines)


def _short(value: float) -> str:
    """A perplexity as people read it: it may be 2 or 20,000."""
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _perplexities(line: pandas.Series, name: str) -> str:
    return " → ".join(_short(line[f"{name}_{stage}"]) for stage in STAGES)


def _rouge(line: pandas.Series) -> str:
    names = [f"test_rouge_{stage}" for stage in STAGES]
    halves = [(line[f"{name}_high"] - line[f"{name}_low"]) / 2 for name in names]
    return " → ".join(
        f"{line[name]:.3f} ±{half:.3f}" for name, half in zip(names, halves, strict=True)
    )


def orders(frame: pandas.DataFrame) -> Iterator[tuple[str, bool, str]]:
    """Of each model and pattern: its name, whether the errors rise along ORDER, and their order.

    Only of those with two pruners of ORDER, at least.
    """
    known = frame[frame["pruner"].isin(ORDER)]
    for (model, sparsity), lines in known.groupby(["model", "sparsity"], sort=False):
        errors = lines.set_index("pruner")["reconstruction_error"]
        if len(errors) < 2:
            continue
        found = [errors[pruner] for pruner in ORDER if pruner in errors]
        rising = all(a < b for a, b in pairwise(found))
        words = " < ".join(f"{name} {error:.3f}" for name, error in errors.sort_values().items())
        yield f"{model} {sparsity}", rising, words


def _order_told(frame: pandas.DataFrame) -> str:
    """Where the papers' order of reconstruction errors holds, in a sentence or two."""
    names = [name for name in ORDER if name in set(frame["pruner"])]
    if len(names) < 2:
        return f"Of {', '.join(ORDER)} there are not two to compare."
    found = list(orders(frame))
    holds = [cell for cell, rising, _ in found if rising]
    fails = [f"{cell} ({words})" for cell, rising, words in found if not rising]
    text = (
        f"The order {' < '.join(names)} of the reconstruction error holds for {len(holds)} of "
        f"{len(found)} models and patterns"
    )
    text += f": {', '.join(holds)}." if holds else "."
    return text + (f" It does not for {', '.join(fails)}." if fails else "")


def markdown(frame: pandas.DataFrame, note: str) -> str:
    """The table for people: as pruned → after QLoRA, and what each column is."""
    lines = [line for _, line in frame.iterrows()]
    printed = pandas.DataFrame(
        {
            "Model": frame["model"],
            "Pruner": frame["pruner"],
            "Sparsity": frame["sparsity"],
            "Zeros": frame["zeros"].map("{:.1%}".format),
            "Error": frame["reconstruction_error"].map("{:.3f}".format),
            "Perplexity": [_perplexities(line, "perplexity") for line in lines],
            "Summary perplexity": [_perplexities(line, "summary_perplexity") for line in lines],
            "Test ROUGE": [_rouge(line) for line in lines],
        }
    )
    first = frame.iloc[0]
    base = {"pruned": "the pruned base", "dense": "the DENSE base, as published"}
    return (
        f"# Pruners and patterns, preset {first['preset']}\n\n"
        f"{note.strip()}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        "Before the arrow as pruned, after it fine-tuned by QLoRA from there, the adapter on "
        f"{base[first['adapter_base']]}.\n"
        f"{patterns.MEANING} "
        "Zeros is the share of the decoder's Linear weights that are 0 in the saved file. Error is "
        "||WX - W'X|| / ||WX|| of a Linear's outputs on held-out bills, a mean over all of them, "
        "each with the inputs that the pruned layers before it make. Perplexity is on "
        f"{first['heldout_sequences']} sequences of held-out bills ({first['heldout_tokens']:,} "
        f"tokens, no prompt); summary perplexity on the {first['summary_tokens']:,} tokens of the "
        "reference summaries of test, given the prompt: before QLoRA no model has seen their form. "
        "Test ROUGE is ROUGE-Lsum of what was "
        f"generated for {first['test_examples']} test bills of {first['corpus']}; ± is half of a "
        "bootstrap 95 % interval.\n\n"
        f"{_order_told(frame)}\n"
    )
