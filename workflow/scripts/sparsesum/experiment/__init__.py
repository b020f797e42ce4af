"""What a run is asked for: the grid's rows, sparsity patterns, settings, what was published.

In:  config.yaml and its overlays, grid.tsv, the published table.
Out: rows, patterns and settings that are valid, or an InputError with file and key.
May import: base.
"""
