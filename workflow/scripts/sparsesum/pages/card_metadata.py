"""The front matter of a model card: what the Hub reads of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from sparsesum.experiment.evaluated import METRICS

NAMES = {"rougeLsum": "ROUGE-Lsum", "bertscore": "BERTScore"}

OPT = "facebook/opt-"
"""What Meta's own models are called on the Hub; their licence is below."""

LICENCE = "https://github.com/facebookresearch/metaseq/blob/main/projects/OPT/MODEL_LICENSE.md"
"""Of OPT's weights, and of what is made from them: for research, and nothing commercial."""


def front_matter(
    name: str,
    model: Mapping[str, Any],
    corpus: Mapping[str, Any],
    tags: Sequence[str],
    scores: Mapping[str, Any],
) -> str:
    """The lines between "---" and "---".

    model, corpus: each a `source`, its `revision`, and whether it is on the `hub`; only then the
    Hub knows it by that name. scores: of each split (`scoring.means`); they are an index on the Hub
    only if its corpus is there.
    """
    data = ModelCardData(
        license="other",
        license_name="opt-175b-license" if of_opt(model) else None,
        license_link=LICENCE if of_opt(model) else None,
        base_model=model["source"] if model["hub"] else None,
        datasets=[corpus["source"]] if corpus["hub"] else None,
        library_name="transformers",
        pipeline_tag="summarization",
        tags=["summarization", "opt", *tags],
        model_name=name,
        eval_results=_results(corpus, scores) if corpus["hub"] else None,
    )
    return f"---\n{data.to_yaml()}\n---\n"


def of_opt(model: Mapping[str, Any]) -> bool:
    """Whether a model's source is one of Meta's own on the Hub."""
    return bool(model["hub"]) and model["source"].startswith(OPT)


def _results(corpus: Mapping[str, Any], scores: Mapping[str, Any]) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="summarization",
            dataset_type=corpus["source"],
            dataset_name=corpus["source"].rpartition("/")[2],
            dataset_revision=corpus["revision"],
            # As the corpus calls it: what is validation here may be another's test split.
            dataset_split=corpus["splits"][split],
            metric_type=kind,
            metric_name=NAMES[metric],
            metric_value=round(score[metric]["mean"], 4),
        )
        for split, score in scores.items()
        for metric, kind in METRICS.items()
    ]
