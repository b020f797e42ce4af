"""Compressing OPT models for summarisation, step by step. Knows nothing of Snakemake."""
