"""ROUGE as a local `evaluate` module: the Hub's own would have to be fetched as code.

`evaluate` reads the imports below line by line: only a plain `import name` is safe.
"""

import datasets
import evaluate
import rouge_score.rouge_scorer

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


class Rouge(evaluate.Metric):
    """ROUGE-1, -2, -L and -Lsum F-measures of each example, in 0..1, with the Porter stemmer.

    The same values as the Hub's `rouge` with use_stemmer=True and use_aggregator=False. Like there,
    sentences for Lsum are the lines of a text: nothing splits a line into sentences. A text without
    a letter a-z or digit scores 0.
    Source: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", as in rouge-score.
    """

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="ROUGE F-measures per example",
            citation="Lin 2004, https://aclanthology.org/W04-1013",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, list[float]]:
        scorer = rouge_score.rouge_scorer.RougeScorer(TYPES, use_stemmer=True)
        scores = [
            scorer.score(reference, prediction)
            for reference, prediction in zip(references, predictions, strict=True)
        ]
        return {name: [float(score[name].fmeasure) for score in scores] for name in TYPES}
