"""The ways of fine-tuning, a file each: rows of the grid and a section of the config name it.

A method has a function

    load(checkpoint, device, settings) -> Trainable

with the model that is trained, from a checkpoint's folder, float32. A method that trains an adapter
beside a base has another:

    adapt(model, base, device, settings) -> Trainable

`model` is the one that `load` gave; it was saved to the folder `base`, as it is deployed. What
`adapt` returns is peft's model, of which the adapter alone is saved. `settings.options` has what
the method's section sets beside the training (`finetuning.settings`).

The loop, the tokens, the checks of zeros and of numbers, resuming and saving are `finetune`'s.
"""
