"""The machine that a job runs on: device and threads, and what its memory holds.

In:  the keys device, threads and precision; shapes of models and batches.
Out: a torch device, a dtype, a batch size, peaks of memory.
May import: base, jobs.
"""
