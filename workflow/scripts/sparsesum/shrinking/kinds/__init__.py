"""The kinds of shrinking, one file each. A kind is a module with a tuple and a function.

NEEDS says what it reads beside the model: "calibration" (sequences of token ids) or "texts" (of the
train split), or nothing.

`shrink(source, draft, amount, given, **options)` makes a smaller checkpoint of a dense one:

- source: a folder with config.json, float32 model.safetensors and tokenizer.json;
- draft: an empty folder, which gets config.json and model.safetensors. The tokenizer stays as it
  was, but for `vocabulary`, which writes tokenizer.json there;
- amount: how much is kept, a share above 0 and below 1; of `vocabulary`, a number of tokens;
- given: what it reads, where it computes and whom it tells (`shrinking.cut.Given`);
- options: the kind's own, with defaults.

It raises an InputError for an amount that keeps nothing or takes nothing away. `random_neurons` and
`random_layers` are controls: the same cut, its place drawn by lot.
"""
