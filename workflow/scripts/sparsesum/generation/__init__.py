"""Summaries by greedy decoding, and what they take.

In:  the files that deploy a row, prompts as token ids.
Out: texts, seconds, milliseconds a token, peak memory.
May import: base, jobs, machine, corpus, models.
"""
