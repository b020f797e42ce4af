"""A row's model as a folder that stock transformers and peft load, wherever it lies.

It has the model and its tokenizer at top, and an adapter in adapter/.
"""

import shutil
from pathlib import Path

from tokenizers import Tokenizer

from sparsesum.base.files import read_json, write_json
from sparsesum.models import packing, tokenizer_files

BASE = "."
"""What an adapter says of its base: the current directory, for peft knows no path from itself."""


def write(
    checkpoint: Path,
    adapter: Path | None,
    tokenizer: Path,
    folder: Path,
    max_new_tokens: int,
    stop: str,
) -> bool:
    """Write the model that a row deploys to the empty `folder`; whether its weights were packed.

    checkpoint: its folder, or where there is an `adapter`, its base's; packed weights are written
    plain. tokenizer: its tokenizer.json. A summary has `max_new_tokens` tokens at most and ends at
    `stop`.
    """
    shutil.copyfile(checkpoint / "config.json", folder / "config.json")
    with packing.plain(checkpoint) as plain:
        packed = plain != checkpoint
        shutil.copyfile(plain / "model.safetensors", folder / "model.safetensors")
    tokenizer_files.add(tokenizer, folder)
    write_json(folder / "generation_config.json", greedy(tokenizer, max_new_tokens, stop))
    if adapter is not None:
        (folder / "adapter").mkdir()
        name = "adapter_model.safetensors"
        shutil.copyfile(adapter / name, folder / "adapter" / name)
        config = read_json(adapter / "adapter_config.json") | {"base_model_name_or_path": BASE}
        write_json(folder / "adapter" / "adapter_config.json", config)
    return packed


def greedy(tokenizer: Path, max_new_tokens: int, stop: str) -> dict[str, object]:
    """transformers' generation_config.json for what `generation` does: the likeliest tokens.

    It needs generate(..., tokenizer=...), which looks for `stop` in the text.
    """
    ids = Tokenizer.from_file(str(tokenizer)).token_to_id
    marks = {f"{mark}_id": ids(token) for mark, token in tokenizer_files.MARKS.items()}
    return {
        **marks,
        "do_sample": False,
        "num_beams": 1,
        "max_new_tokens": max_new_tokens,
        "stop_strings": [stop],
    }
