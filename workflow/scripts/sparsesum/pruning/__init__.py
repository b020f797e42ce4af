"""Pruned checkpoints: pruners, masks, the walk through the decoder's layers, checks of zeros.

In:  a dense checkpoint, a calibration set, a sparsity pattern.
Out: a checkpoint whose decoder Linears have the pattern's zeros, counted in the saved file; errors
     of reconstruction.
May import: base, jobs, machine, experiment, models.
"""
