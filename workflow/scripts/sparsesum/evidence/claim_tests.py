"""The paper's claims about quality as tests on results: a difference, its interval, a verdict.

The claims are those of "Pruning OPT for Summarization"; how each is put to the test is this
project's choice, and stands in the `contrast` of each line.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas

from sparsesum.evidence.claim_lines import any_above, line, untestable
from sparsesum.evidence.trainings import Found
from sparsesum.experiment import patterns
from sparsesum.experiment.grid import NONE, Row
from sparsesum.scoring.bootstrap import share

RUN = 8
"""Claim 9: so many words in a row that the source has too are copied."""

Scores = Mapping[Row, pandas.DataFrame]
"""The scores of each row's test examples, the same bills in the same order."""


Contrast = Callable[..., Found]
"""`trainings.contrast` with the configured resamples and seed, and the models' spreads."""


def models(rows: Mapping[Row, object]) -> list[str]:
    """The models of the grid, in its order."""
    return list(dict.fromkeys(row.model for row in rows))


def unpruned(model: str, finetuning: str) -> Row:
    """The unpruned row of a model and a way of fine-tuning."""
    return Row(model, finetuning, NONE, NONE)


def pruned_qlora(rows: Mapping[Row, object], model: str) -> list[Row]:
    """A model's pruned QLoRA rows."""
    return [r for r in rows if (r.model, r.finetuning) == (model, "qlora") and r.pruner != NONE]


def rouge(scores: Scores, row: Row) -> np.ndarray:
    """ROUGE-Lsum of a row's test examples."""
    return scores[row]["rougeLsum"].to_numpy(float)


def named(row: Row) -> str:
    """A row in words, an unpruned one called so."""
    return f"{row.name} unpruned" if row.pruner == NONE else row.name


def nm_worse(scores: Scores, contrast: Contrast) -> list[dict[str, Any]]:
    """Claim 1: unstructured 50 % minus N:M of the same share."""
    what = "unstructured 50% minus N:M"
    groups: dict[tuple[Any, ...], dict[bool, list[Row]]] = {}
    for row in scores:
        if row.pruner != NONE and (pattern := patterns.parse(row.sparsity)).ratio == 0.5:
            group = groups.setdefault((row.model, row.pruner, row.finetuning), {})
            group.setdefault(bool(pattern.m), []).append(row)
    both = [(group[False][0], group[True]) for group in groups.values() if len(group) == 2]
    if not both:
        reason = "no model, pruner and fine-tuning has rows at 50% and at N:M of the same share"
        return [untestable(1, what, reason)]
    gaps = [
        rouge(scores, free) - np.mean([rouge(scores, row) for row in nm], axis=0)
        for free, nm in both
    ]
    rows = [f"{named(free)} minus {', '.join(row.sparsity for row in nm)}" for free, nm in both]
    how = (
        "test ROUGE-Lsum, paired by bill; unstructured 50 % minus the mean of the N:M rows of the "
        f"same share, mean over models, pruners and fine-tunings that have both ({'; '.join(rows)})"
    )
    of: Counter[Row] = Counter()
    for free, nm in both:
        of[free] += 1 / len(both)  # type: ignore[assignment]  # weights, not counts
        for row in nm:
            of[row] -= 1 / len(nm) / len(both)  # type: ignore[assignment]
    return [line(1, what, how, contrast(np.mean(gaps, axis=0), of=of))]


def magnitude_may_win(
    scores: Scores, aware: Sequence[str], contrast: Contrast
) -> list[dict[str, Any]]:
    """Claim 3: magnitude minus each activation-aware pruner, at the same pattern."""
    what = "magnitude minus activation-aware, any pair"
    pairs = [
        (row, other)
        for row in scores
        for other in scores
        if row.pruner == "magnitude"
        and other.pruner in aware
        and (row.model, row.finetuning) == (other.model, other.finetuning)
        and patterns.parse(row.sparsity) == patterns.parse(other.sparsity)
    ]
    if not pairs:
        reason = "no magnitude row has an activation-aware one of the same pattern"
        return [untestable(3, what, reason)]
    how = (
        "test ROUGE-Lsum, paired by bill; interval simultaneous (Bonferroni) over "
        f"{len(pairs)} pairs"
    )
    founds = [
        contrast(
            rouge(scores, row) - rouge(scores, other),
            of={row: 1, other: -1},
            comparisons=len(pairs),
        )
        for row, other in pairs
    ]
    lines = [
        line(3, f"{named(row)} minus {other.pruner}", how, found)
        for (row, other), found in zip(pairs, founds, strict=True)
    ]
    how = (
        f"holds if magnitude is above {' or '.join(aware)} in one of {len(pairs)} pairs, fails if "
        "below in all; figures of the pair most in favour of magnitude"
    )
    return any_above(what, how, founds, lines)


def smaller_suffer_more(
    scores: Scores, costs: Mapping[Row, dict[str, Any]], contrast: Contrast
) -> list[dict[str, Any]]:
    """Claim 4: the relative loss from N:M of a smaller minus that of a larger model."""
    pruned: dict[str, dict[tuple[Any, ...], Row]] = {model: {} for model in models(scores)}
    for row in scores:
        dense = unpruned(row.model, row.finetuning)
        if row.pruner != NONE and dense in scores and patterns.parse(row.sparsity).m:
            pruned[row.model][row.finetuning, row.checkpoint] = row

    def parameters(model: str) -> int:
        return min(cost["parameters"] for row, cost in costs.items() if row.model == model)

    lines = []
    for small, large in combinations(sorted(pruned, key=parameters), 2):
        what = f"{small} minus {large}"
        shared = [key for key in pruned[small] if key in pruned[large]]
        if not shared:
            reason = "they share no N:M row that has an unpruned one beside it"
            lines.append(untestable(4, what, reason))
            continue
        rows = [pruned[model][key] for model in (small, large) for key in shared]
        columns = [
            rouge(scores, one) for row in rows for one in (row, unpruned(row.model, row.finetuning))
        ]
        reason = "an unpruned row scores 0 on all or on a resample: no relative loss"
        if not all(column.mean() for column in columns[1::2]):
            lines.append(untestable(4, what, reason))
            continue
        of = _slopes_of_loss(scores, rows)
        found = contrast(*columns, statistic=relative_loss_gap, of=of)
        if not np.isfinite(found.bills).all():
            lines.append(untestable(4, what, reason))
            continue
        kinds = [f"{row.finetuning} {row.pruner} {row.sparsity}" for row in rows[: len(shared)]]
        how = (
            "relative loss of mean test ROUGE-Lsum, 1 - pruned / unpruned of the same fine-tuning, "
            f"mean over the N:M rows that both models have ({', '.join(kinds)}); {small} "
            f"({parameters(small):,} parameters) minus {large} ({parameters(large):,}); bills "
            "resampled jointly"
        )
        lines.append(line(4, what, how, found))
    return lines or [untestable(4, "smaller minus larger model", "the grid has one model")]


def _slopes_of_loss(scores: Scores, rows: Sequence[Row]) -> dict[Row, float]:
    """What `relative_loss_gap` of pruned rows changes by if one of all its rows' means rises by 1.

    1 - pruned / unpruned has the slopes -1 / unpruned and pruned / unpruned^2.
    """
    count = len(rows) // 2
    slopes: dict[Row, float] = {}
    for number, row in enumerate(rows):
        dense = unpruned(row.model, row.finetuning)
        sign = (1 if number < count else -1) / count
        below = rouge(scores, dense).mean()
        slopes[row] = slopes.get(row, 0) - sign / below
        slopes[dense] = slopes.get(dense, 0) + sign * rouge(scores, row).mean() / below**2
    return slopes


def relative_loss_gap(*columns: np.ndarray, axis: int = -1) -> np.ndarray:
    """Mean relative loss of the first half of pairs minus that of the second.

    `columns`: pruned, unpruned, pruned, unpruned, ...: [..., examples] each.
    """
    means = [column.mean(axis) for column in columns]
    losses = np.stack(
        [1 - pruned / dense for pruned, dense in zip(means[::2], means[1::2], strict=True)]
    )
    half = len(losses) // 2
    return losses[:half].mean(0) - losses[half:].mean(0)


def cheating_pays(
    scores: Scores, cheats: Mapping[str, pandas.DataFrame], contrast: Contrast
) -> list[dict[str, Any]]:
    """Claim 5: copying and repeating minus the base's own predictions, in both metrics."""
    cases = [
        (model, kind, rows)
        for model, frame in cheats.items()
        for kind, rows in frame.groupby("cheat", sort=False)
    ]
    if not cases:
        return [untestable(5, "cheat minus base", "the grid has no unpruned base row")]
    meanings = {
        "copy": "the opening of the bill as read",
        "repeat": "the base's first sentence over and over",
    }
    lines = []
    for metric, name in (("rougeLsum", "ROUGE-Lsum"), ("bertscore", "BERTScore")):
        founds, members = [], []
        for model, kind, rows in cases:
            base = scores[unpruned(model, "base")]
            gap = rows[metric].to_numpy(float) - base[metric].to_numpy(float)
            base_row = unpruned(model, "base")
            founds.append(contrast(gap, of={base_row: -1}, comparisons=2 * len(cases)))
            how = (
                f"test {name}, paired by bill; {meanings[kind]}, as many words as references have "
                "on average, minus the base's own prediction; interval simultaneous (Bonferroni) "
                f"over {2 * len(cases)} comparisons"
            )
            members.append(line(5, f"{model}, {name}, {kind} minus base", how, founds[-1]))
        how = (
            f"holds for {name} if above 0 for one of {len(cases)} cheats, fails if below for all; "
            "figures of the cheat that pays most"
        )
        lines += any_above(f"{name}, any cheat minus base", how, founds, members)
    return lines


def long_prompts_hurt(
    scores: Scores, generations: Mapping[str, list[dict[str, Any]]], contrast: Contrast
) -> list[dict[str, Any]]:
    """Claim 6: what full fine-tuning gains on shorter prompts minus on longer ones, per model."""
    lines = []
    for model in models(scores):
        what = f"{model}, gain on shorter minus on longer prompts"
        base, full = unpruned(model, "base"), unpruned(model, "full")
        if base not in scores or full not in scores:
            lines.append(untestable(6, what, "an unpruned base row or full row is missing"))
            continue
        lengths = np.array([row["prompt_tokens"] for row in generations[model]])
        short = lengths <= np.median(lengths)
        # Where truncation makes most prompts equally long, those are the longer ones.
        if (~short).sum() < 2:
            short = lengths < np.median(lengths)
        if min(short.sum(), (~short).sum()) < 2:
            lines.append(untestable(6, what, "the prompts are all of one length, or nearly"))
            continue
        gain = rouge(scores, full) - rouge(scores, base)
        found = contrast(
            gain[short],
            gain[~short],
            statistic=lambda one, other, axis: one.mean(axis) - other.mean(axis),
            paired=False,
            # As if what moves between trainings moved one of the halves alone.
            of={full: 1, base: 0},
        )
        how = (
            f"gain in test ROUGE-Lsum of {named(full)} over {named(base)}, on the shorter half of "
            f"prompts ({short.sum()}, up to {lengths[short].max()} tokens) minus on the longer "
            f"({(~short).sum()}), unpaired"
        )
        lines.append(line(6, what, how, found))
    return lines


def qlora_not_enough(scores: Scores, contrast: Contrast) -> list[dict[str, Any]]:
    """Claim 7: unpruned minus pruned under QLoRA, and full minus QLoRA, per model."""
    lines = []
    for model in models(scores):
        qlora, full = unpruned(model, "qlora"), unpruned(model, "full")
        pruned = pruned_qlora(scores, model)
        what = f"{model} qlora, unpruned minus pruned"
        if qlora in scores and pruned:
            gap = rouge(scores, qlora) - np.mean([rouge(scores, row) for row in pruned], axis=0)
            kinds = ", ".join(f"{row.pruner} {row.sparsity}" for row in pruned)
            how = (
                f"test ROUGE-Lsum, paired by bill; {named(qlora)} minus the mean of the pruned "
                f"qlora rows ({kinds}); above 0 is not recovered"
            )
            of = {qlora: 1.0} | dict.fromkeys(pruned, -1 / len(pruned))
            lines.append(line(7, what, how, contrast(gap, of=of)))
        else:
            lines.append(untestable(7, what, "an unpruned qlora row or pruned ones are missing"))
        what = f"{model}, full minus qlora"
        if qlora in scores and full in scores:
            how = f"test ROUGE-Lsum, paired by bill; {named(full)} minus {named(qlora)}"
            gap = rouge(scores, full) - rouge(scores, qlora)
            found = contrast(gap, of={full: 1, qlora: -1})
            lines.append(line(7, what, how, found))
        else:
            lines.append(untestable(7, what, "an unpruned full row or qlora row is missing"))
    return lines


def repeated_words(prediction: str, source: str) -> float:
    """Which share of a prediction's words (0..1) is copied or repeated; 0 if it has none.

    Copied: in a run of RUN words or more that stands in the source. Repeated: in a sequence of 3
    words that the prediction has more than once. Words are split at white space, in lower case.
    """
    words, read = prediction.lower().split(), source.lower().split()
    source_runs = {tuple(read[i : i + RUN]) for i in range(len(read) - RUN + 1)}
    triples = Counter(zip(words, words[1:], words[2:], strict=False))  # type: Counter[tuple[str, ...]]
    marked: set[int] = set()
    for i in range(len(words)):
        if tuple(words[i : i + RUN]) in source_runs:
            marked.update(range(i, i + RUN))
        if triples[tuple(words[i : i + 3])] > 1:
            marked.update(range(i, i + 3))
    return len(marked) / len(words) if words else 0.0


def blanks_and_repeats_dominate(
    generations: Mapping[str, list[dict[str, Any]]], sources: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Claim 9: the share of base generations that are blank, or half copied or repeated."""
    lines = []
    for model, rows in generations.items():
        blank = [not row["prediction"].strip() for row in rows]
        marks = [
            empty or repeated_words(row["prediction"], source) >= 0.5
            for empty, row, source in zip(blank, rows, sources[model], strict=True)
        ]
        how = (
            f"share of test generations that are blank ({sum(blank)}), or half of "
            f"whose words are in runs of {RUN} or more words of the bill as read, or in sequences "
            f"of 3 words that the generation has twice ({sum(marks) - sum(blank)}); dominate is "
            "more than half; Wilson interval"
        )
        found = share(marks)
        what = f"{model} base, share of such generations"
        lines.append(line(9, what, how, Found(found, found), threshold=0.5))
    return lines or [
        untestable(9, "share of such generations", "the grid has no unpruned base row")
    ]
