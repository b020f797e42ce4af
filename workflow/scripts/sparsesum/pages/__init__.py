"""What people look at: tables, plots, and the page to read outputs side by side.

In:  tables and scores.
Out: CSV, Markdown, HTML, SVG.
May import: base, jobs, experiment, models, scoring, evidence. Nothing imports it.
"""
