"""OPT checkpoints as folders: config.json, model.safetensors, tokenizer.json."""

import logging
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer, processors
from transformers import AutoTokenizer, OPTConfig, OPTForCausalLM

from sparsesum import opt, tensorfile
from sparsesum.errors import InputError

log = logging.getLogger(__name__)

FILES = ["config.json", "model.safetensors", "tokenizer.json"]
"""What a checkpoint of this project consists of."""

BOS, PAD = "</s>", "<pad>"
FLOATS = ["F64", "F32", "F16", "BF16"]


def read_config(folder: Path) -> OPTConfig:
    """The configuration of an OPT checkpoint; an InputError where the folder holds none."""
    opt.read_config(folder)
    return OPTConfig.from_pretrained(folder)


def load(folder: Path, dtype: torch.dtype = torch.float32) -> OPTForCausalLM:
    """The model of a checkpoint folder in `dtype`, on the CPU, in eval mode.

    model.safetensors is taken where there is one, or else pytorch_model.bin: tensors alone, none of
    the code that a pickle may hold. Raises InputError if there is neither, or such code, or if the
    tensors are not those of the configuration: transformers would draw what is missing at random.
    """
    config = read_config(folder)
    if getattr(config, "quantization_config", None) is not None:
        raise InputError(
            f"{folder}: its config.json has a quantization_config; allowed are float weights, "
            "which this project quantises itself"
        )
    try:
        # transformers unpickles with weights_only, whatever it is told.
        model, found = OPTForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # to be refused below, by name
        )
    except pickle.UnpicklingError:
        raise InputError(
            f"{folder}: its pytorch_model.bin holds more than tensors, or is broken, and was not "
            "loaded; only a pickle of tensors is, or model.safetensors"
        ) from None
    except (OSError, SafetensorError) as error:
        raise InputError(f"{folder}: {str(error).splitlines()[0]}") from None
    _check_tensors(folder, model, found)
    return model.eval()


def _check_tensors(folder: Path, model: OPTForCausalLM, found: dict) -> None:
    """An InputError unless the weights of a folder are those that its config.json asks for.

    `found`: what transformers says of them.
    """
    again = "fetch or save the checkpoint again"
    if missing := sorted(found["missing_keys"]):
        raise InputError(
            f"{folder}: no tensor {missing[0]} in its weights, which its config.json asks for "
            f"({len(missing)} missing); {again}"
        )
    for name, there, wanted in sorted(found["mismatched_keys"]):
        raise InputError(
            f"{folder}: {name} is {list(there)}, and its config.json asks for {list(wanted)}; "
            f"{again}"
        )
    for file in sorted(folder.glob("*.safetensors")):
        for name, dtype in tensorfile.dtypes(file).items():
            if dtype not in FLOATS:
                raise InputError(
                    f"{file}: {name} is {dtype}; allowed are float weights ({', '.join(FLOATS)}), "
                    "which this project quantises itself"
                )
    if model.config.tie_word_embeddings:
        head, embedding = (
            module.weight for module in (model.lm_head, model.get_input_embeddings())
        )
        if head is not embedding and not torch.equal(head, embedding):
            raise InputError(
                f"{folder}: its lm_head.weight is not its embedding, and its config.json ties "
                "them; set tie_word_embeddings: false there"
            )
    if unknown := sorted(found["unexpected_keys"]):
        log.warning(
            "%s: %d tensors that its config.json does not ask for are left out: %s",
            *(folder, len(unknown), ", ".join(unknown[:4])),
        )


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
    if tokenizer.token_to_id(PAD) is None:
        raise InputError(f"{folder}: its tokenizer has no {PAD}, which fills up a batch")
    if tokenizer.encode("").ids != [first]:
        # A vocabulary alone does not say so; OPT was trained with it all the same.
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A", special_tokens=[(BOS, first)]
        )
    return tokenizer


def check_vocabulary(tokenizer: Tokenizer, config: OPTConfig, folder: Path) -> None:
    """Raise an InputError for a tokenizer with ids that the model of its folder does not have."""
    highest = max(tokenizer.get_vocab().values())
    if highest >= config.vocab_size:
        raise InputError(
            f"{folder}: its tokenizer has ids up to {highest}, and its config.json says vocab_size "
            f"{config.vocab_size}; they belong to two models"
        )


def save(model: OPTForCausalLM, folder: Path) -> None:
    """Write config.json and model.safetensors (one file; the tied head is not written twice)."""
    model.save_pretrained(folder, max_shard_size="1TB")


def state(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint folder, as they lie on the disk."""
    return load_file(Path(folder) / "model.safetensors")
