"""The ways of fine-tuning, a file each: rows of the grid and a section of the config name it.

A method has a function

    load(checkpoint, device, settings) -> Trainable

with the model that is trained, from a checkpoint's folder, float32. A method that trains an adapter
beside a base has another:

    adapt(model, base, device, settings) -> Trainable

`model` is the one that `load` gave; it was saved to the folder `base`, as it is deployed. What
`adapt` returns is peft's model and the module `finetuning.adapters`, which saves the adapter alone.
One that merges the two, so that no adapter is deployed, has a third:

    merge(base, adapter, folder)

which writes the merged model to `folder`, from the folders of both, as `models.packing` has it.
`settings.options` has what the method's section sets beside the training (`finetuning.settings`);
OPTIONS, if it has any, is a tuple of their names, which the rules read: others are refused.

The loop, the tokens, the checks of zeros and of numbers, resuming and saving are `finetune`'s.
"""
