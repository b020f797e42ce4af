"""What of a row the tables show: its scores on these splits of a corpus, in these metrics."""

SPLITS = ["validation", "test"]

METRICS = {"rougeLsum": "rouge", "bertscore": "bertscore"}
"""The paper's metrics, and what columns call them: "test_rouge"."""
