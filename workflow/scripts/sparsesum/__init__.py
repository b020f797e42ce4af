"""Compressing language models so that anyone can check it; nothing here knows Snakemake."""
