"""The pruners, one file each. A pruner is a module with one or two pure functions.

`sparsify(weight, state, pattern, **options)` takes the weight of a Linear, [out, in], and returns a
new one of the same shape and dtype, in which what the pattern asks for is exactly zero. `options`
are the pruner's own, with defaults.

`accumulate(state, inputs, seen)` takes the inputs of that Linear, [tokens, in], float32, on one
calibration sequence, and what it returned for the `seen` sequences before (None at first). Its last
result is the `state` that `sparsify` gets. A pruner without `accumulate` needs no calibration set;
its `state` is None.

To add a pruner, add a file here and its name to the grid in the configuration. The walk through the
model's layers is in `sparsesum.layerwise`.
"""
