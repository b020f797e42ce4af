"""How near predictions are to their references, example by example."""

import functools
import tempfile
from pathlib import Path
from typing import Any

from sparsesum.base import finite
from sparsesum.corpus.surrogates import clean
from sparsesum.jobs import lean

METRICS = ("rouge1", "rouge2", "rougeL", "rougeLsum", "bertscore")
FOLDER = Path(__file__).with_name("metrics")


def score(
    records: list[dict[str, Any]],
    encoder: Path,
    num_layers: int,
    batch_size: int,
    device: str = "cpu",
) -> list[dict[str, Any]]:
    """The scores of each generation, in the order of `records`.

    A record has id, prediction, reference and cut_off (bool: the token limit ended it). A score has
    id, rouge1, rouge2, rougeL, rougeLsum (F-measures with stemming, 0..1), bertscore (F1 from layer
    `num_layers` of the encoder in folder `encoder`, not rescaled), blank (the prediction is) and
    cut_off. A blank prediction or reference scores 0. `batch_size` counts examples; the encoder
    runs on `device`. Raises ValueError if the encoder has fewer layers, OSError if it cannot be
    loaded, InputError for a score that is not finite.
    """
    if not records:
        return []
    rouge, bertscore = modules()
    texts = {
        f"{key}s": [clean(record[key]) for record in records] for key in ("prediction", "reference")
    }
    columns = rouge.compute(**texts)
    columns["bertscore"] = bertscore.compute(
        **texts, encoder=str(encoder), num_layers=num_layers, batch_size=batch_size, device=device
    )["f1"]
    ids = [record["id"] for record in records]
    for metric in METRICS:
        finite.check_values(columns[metric], metric, ids)
    return [
        {
            "id": record["id"],
            **{metric: columns[metric][i] for metric in METRICS},
            "blank": not record["prediction"].strip(),
            "cut_off": record["cut_off"],
        }
        for i, record in enumerate(records)
    ]


@functools.cache
def modules() -> tuple[Any, ...]:
    """This project's ROUGE and BERTScore as `evaluate` loads them.

    `evaluate` copies a module to a cache before it imports it, by default one that all jobs of a
    user share. Here it is a folder of this process alone, gone once they are imported.
    """
    import evaluate

    with lean.without_plots():
        import bert_score  # noqa: F401 - for the module that loads it again

    with tempfile.TemporaryDirectory(prefix="sparsesum-") as private:
        evaluate.config.HF_MODULES_CACHE = Path(private)
        rouge, bertscore = (
            evaluate.load(str(FOLDER / name), cache_dir=private, keep_in_memory=True)
            for name in ("rouge", "bertscore")
        )
    return rouge, bertscore
