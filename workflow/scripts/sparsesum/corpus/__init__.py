"""Texts with summaries, from a source to token ids.

In:  a corpus's files in any common format, a tokenizer, a prompt.
Out: records of a split, tokens to train on and to ask with, the calibration set, held-out text.
May import: base, jobs.
"""
