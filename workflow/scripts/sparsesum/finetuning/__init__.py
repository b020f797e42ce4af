"""Fine-tuned models: one training loop, and a method in each file of `methods`.

In:  a dense or pruned checkpoint, tokens of the train split, settings.
Out: a model, an adapter if the method has one, a loss curve, the training's costs. Zeros are kept,
     and checked.
May import: base, jobs, machine, models, pruning.
"""
