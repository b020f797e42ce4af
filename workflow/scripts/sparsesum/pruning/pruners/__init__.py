"""The pruners, one file each. A pruner is a module with one to three functions.

`sparsify(weight, state, pattern, **options)` takes the weight of a Linear, [out, in], and returns a
new one of the same shape and dtype, in which what the pattern asks for is exactly zero. `options`
are the pruner's own, with defaults. `state` is None for a pruner without `accumulate`, which needs
no calibration set. It is not told which Linear it prunes: random scores of one seed would be the
same in all Linears of a shape.

`accumulate(state, inputs, seen, exact)` takes the inputs of that Linear, [sequences, tokens, in],
float32, of some calibration sequences, and what it returned for the `seen` sequences before (None
at first; it may be changed in place). Its last result is the `state` of `sparsify`. `exact`: sums
run in the reference code's order; one sequence comes at a time then. `pruning.activations` has the
two that there are; a pruner imports one `as accumulate`.

`prepare(state, exact, **options)` is called once for all Linears that read the same inputs (q, k
and v), where what they share is costly; `sparsify` gets its result instead of the state.

README, "Add a pruner", shows one being added. The walk through the model's layers is in
`sparsesum.pruning.layerwise`.
"""
