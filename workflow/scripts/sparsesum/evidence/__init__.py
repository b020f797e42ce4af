"""What the scores prove: comparisons, seeds, the paper's claims, the audit of its table.

In:  scores by example, costs, published figures.
Out: tables with differences, intervals and verdicts.
May import: base, experiment, models, scoring.
"""
