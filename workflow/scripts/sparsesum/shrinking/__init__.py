"""Shrunk checkpoints: dense ones of the same class with fewer neurons, layers or tokens.

In:  a dense checkpoint, an amount; a calibration set or the corpus's texts, where a kind needs it.
Out: config.json and model.safetensors (of a smaller vocabulary, tokenizer.json too) that
     transformers loads as it loads any OPT.
May import: base, jobs, models, pruning.
"""
