"""What a job does around its work: messages, records, locks, time stamps, which code it runs.

In:  what Snakemake hands a job, as plain values.
Out: lines in a log, and the record beside an artifact. No module here decides a byte of an
     artifact, so none is part of what reruns a rule (`sources`).
May import: base.
"""
