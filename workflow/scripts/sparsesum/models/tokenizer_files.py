"""A tokenizer beside a model, as transformers' AutoTokenizer finds it: with its marks named.

Without tokenizer_config.json transformers takes the marks of an OPT's tokenizer for GPT-2's: it
adds <|endoftext|> behind the vocabulary, where the model has no embedding, and knows no padding.
"""

import shutil
from pathlib import Path

from sparsesum.base.files import read_json, write_json

MARKS = {"bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"}
"""OPT's: arXiv 2205.01068's tokenizer begins each text with </s>, and a text ends with it."""


def add(tokenizer: Path, folder: Path) -> None:
    """Copy a tokenizer.json beside the model of a folder, and write its tokenizer_config.json."""
    shutil.copyfile(tokenizer, Path(folder) / "tokenizer.json")
    describe(folder)


def describe(folder: Path) -> None:
    """Write tokenizer_config.json for the tokenizer.json and the model of a folder.

    Marks that the vocabulary does not have are not named: transformers would add them.
    """
    folder = Path(folder)
    tokenizer = read_json(folder / "tokenizer.json")
    there = {*tokenizer["model"]["vocab"]} | {mark["content"] for mark in tokenizer["added_tokens"]}
    positions = read_json(folder / "config.json")["max_position_embeddings"]
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            **{name: mark for name, mark in MARKS.items() if mark in there},
            "model_max_length": positions,
            "padding_side": "left",  # a generation continues a row's last token
            "clean_up_tokenization_spaces": False,
        },
    )
