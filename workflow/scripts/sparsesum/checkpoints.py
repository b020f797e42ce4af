"""OPT checkpoints as folders: config.json, model.safetensors, tokenizer.json."""

import pickle
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, processors
from transformers import AutoTokenizer, OPTConfig, OPTForCausalLM

from sparsesum import opt
from sparsesum.errors import InputError

FILES = ["config.json", "model.safetensors", "tokenizer.json"]
"""What a checkpoint of this project consists of."""

BOS = "</s>"


def read_config(folder: Path) -> OPTConfig:
    """The configuration of an OPT checkpoint; an InputError where the folder holds none."""
    opt.read_config(folder)
    return OPTConfig.from_pretrained(folder)


def load(folder: Path, dtype: torch.dtype = torch.float32) -> OPTForCausalLM:
    """The model of a checkpoint folder in `dtype`, on the CPU, in eval mode.

    model.safetensors is taken where there is one, or else pytorch_model.bin: tensors alone, none of
    the code that a pickle may hold. Raises InputError if there is neither, or such code.
    """
    read_config(folder)
    try:
        # transformers unpickles with weights_only, whatever it is told.
        model = OPTForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{folder}: its pytorch_model.bin holds more than tensors, or is broken, and was not "
            "loaded; only a pickle of tensors is, or model.safetensors"
        ) from None
    except OSError as error:
        raise InputError(f"{folder}: {str(error).splitlines()[0]}") from None
    return model.eval()


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model's source: OPT's byte-level BPE, "</s>" (id 2) before every text."""
    file = Path(folder) / "tokenizer.json"
    if file.is_file():
        tokenizer = Tokenizer.from_file(str(file))
    elif (Path(folder) / "vocab.json").is_file():
        loaded = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        tokenizer = loaded.backend_tokenizer
    else:
        raise InputError(f"{folder}: no tokenizer.json, and no vocab.json with merges.txt")
    first = tokenizer.token_to_id(BOS)
    if first is None:
        raise InputError(f"{folder}: its tokenizer has no {BOS}, which OPT puts before every text")
    if tokenizer.encode("").ids != [first]:
        # A vocabulary alone does not say so; OPT was trained with it all the same.
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A", special_tokens=[(BOS, first)]
        )
    return tokenizer


def save(model: OPTForCausalLM, folder: Path) -> None:
    """Write config.json and model.safetensors (one file; the tied head is not written twice)."""
    model.save_pretrained(folder, max_shard_size="1TB")


def state(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint folder, as they lie on the disk."""
    return load_file(Path(folder) / "model.safetensors")
