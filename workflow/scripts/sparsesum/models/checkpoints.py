"""OPT checkpoints as folders: config.json, model.safetensors, tokenizer.json."""

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer, processors
from transformers import AutoTokenizer, OPTConfig, OPTForCausalLM

from sparsesum.base.errors import InputError
from sparsesum.models import opt, tensorfile

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
    weights are not those that config.json asks for, or did not arrive whole.
    """
    config = read_config(folder)
    if getattr(config, "quantization_config", None) is not None:
        raise InputError(
            f"{folder}: its config.json has a quantization_config; allowed are float weights, "
            "which this project quantises itself"
        )
    try:
        # transformers unpickles with weights_only, whatever it is told.
        model, found = OPTForCausalLM.from_pretrained(  # type: ignore[misc]  # with info: two
            folder,
            dtype=dtype,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # those are reported below
        )  # type: OPTForCausalLM, dict[str, Any]
    except pickle.UnpicklingError:
        raise InputError(
            f"{folder}: its pytorch_model.bin holds more than tensors, or is broken, and was not "
            "loaded; only a pickle of tensors is, or model.safetensors"
        ) from None
    except OSError as error:
        raise InputError(f"{folder}: {str(error).splitlines()[0]}") from None
    except (SafetensorError, EOFError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "PytorchStreamReader" not in str(error):
            raise
        raise InputError(
            f"{folder}: its weights cannot be read ({str(error).split('. ')[0]}); a file that did "
            "not arrive whole, or a pointer of Git LFS in its place? fetch them again"
        ) from None
    _check_complete(folder, found)
    _check_values(folder, model)
    return model.eval()


def _check_complete(folder: Path, found: dict[str, Any]) -> None:
    """An InputError unless the weights are the configuration's: transformers makes up what is not.

    found: its loading info. What else a file holds, beside layers, does no harm.
    """
    if missing := sorted(found["missing_keys"]):
        raise InputError(
            f"{folder}: its weights lack {missing[0]}; config.json asks for it ({len(missing)} "
            "such tensors); fetch both again, from one source"
        )
    if more := sorted(name for name in found["unexpected_keys"] if "layers." in name):
        raise InputError(
            f"{folder}: its weights have {more[0]}, which config.json does not ({len(more)} such "
            "tensors of layers); fetch both again, from one source"
        )
    if other := sorted(found["mismatched_keys"]):
        name, is_, asked = other[0]
        raise InputError(
            f"{folder}: {name} is {list(is_)}, and config.json asks for {list(asked)}; fetch both "
            "again, from one source"
        )


def _check_values(folder: Path, model: OPTForCausalLM) -> None:
    """An InputError for weights that transformers takes for others: int8, a head that is lost."""
    for file in sorted(folder.glob("model*.safetensors")):
        for name, dtype in tensorfile.dtypes(file).items():
            if dtype not in FLOATS:
                raise InputError(
                    f"{file}: {name} is {dtype}; allowed are float weights ({', '.join(FLOATS)}), "
                    "which this project quantises itself"
                )
    if model.config.tie_word_embeddings:
        head, embedding = model.lm_head.weight, model.get_input_embeddings().weight
        if head is not embedding and not torch.equal(head, embedding):
            raise InputError(
                f"{folder}: its lm_head.weight is not its embedding, and its config.json ties "
                "them; set tie_word_embeddings: false there"
            )


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model's source: OPT's byte-level BPE, "</s>" (id 2) before every text.

    It cuts and fills up no text, whatever its file says. An InputError where there is none, or it
    lacks "</s>" or "<pad>".
    """
    file = Path(folder) / "tokenizer.json"
    if file.is_file():
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library has no other
            raise InputError(
                f"{file}: no tokenizer that can be read ({error}); fetch it again"
            ) from None
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
        raise InputError(
            f"{folder}: its tokenizer has no {PAD}, which fills up the rows of a batch; take OPT's "
            "own, or add it under an id that the model has"
        )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if tokenizer.encode("").ids != [first]:
        # A vocabulary alone does not say so; OPT was trained with it all the same.
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A", special_tokens=[(BOS, first)]
        )
    return tokenizer


def check_vocabulary(tokenizer: Tokenizer, model: OPTForCausalLM) -> None:
    """An InputError where the tokenizer makes ids for which the model has no embedding."""
    size = model.config.vocab_size
    token, highest = max(tokenizer.get_vocab().items(), key=lambda item: item[1])
    if highest >= size:
        raise InputError(
            f"its tokenizer's '{token}' has id {highest}, and config.json's vocab_size is {size}; "
            "take the tokenizer that the model was trained with"
        )


def save(model: OPTForCausalLM, folder: Path) -> None:
    """Write config.json and model.safetensors (one file; the tied head is not written twice)."""
    model.save_pretrained(folder, max_shard_size="1TB")


def state(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint folder, as they lie on the disk."""
    return load_file(Path(folder) / "model.safetensors")
