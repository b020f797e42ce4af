"""OPT: its checkpoints on the disk, its arithmetic in torch, its 8-bit form.

In:  a folder in the Hub's format.
Out: tensors, modules, counts and bytes; a checkpoint that transformers loads.
May import: base, corpus.
"""
