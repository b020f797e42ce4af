"""Stand-ins for what the Hub holds: folders of the true shapes and formats, with random weights.

With them every stage runs at its true size where the Hub cannot be reached. Their scores mean
nothing.
"""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, processors
from transformers import (
    OPTConfig,
    OPTForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

ROBERTA_LARGE = {
    "vocab_size": 50265,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}
"""The shape of FacebookAI/roberta-large, in RobertaConfig's words."""


def fill(model: torch.nn.Module, seed: int) -> None:
    """Give a model normal random weights of standard deviation 0.02, none of them zero.

    Fresh biases and the embedding's padding row would be; so counts are those of the shape. Norms'
    weights lie about one. Values are kept off zero far enough that float16 keeps them so.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(std=0.02, generator=generator)
            parameter.add_(torch.where(parameter < 0, -1e-3, 1e-3))
            if "norm" in name.lower() and name.endswith("weight"):
                parameter.add_(1.0)


def opt(config: dict[str, Any], tokenizer: Path, folder: Path, seed: int = 0) -> None:
    """A folder in the Hub's format with an OPT model of `config` (a config.json's contents).

    Weights are float16, as the Hub's; the tokenizer is the file `tokenizer` (a tokenizer.json whose
    ids fit the vocabulary).
    """
    model = OPTForCausalLM(OPTConfig.from_dict(config))
    fill(model, seed)
    model.half().save_pretrained(folder)
    Tokenizer.from_file(str(tokenizer)).save(str(Path(folder) / "tokenizer.json"))


def roberta(tokenizer: Path, folder: Path, seed: int = 0, **shape: Any) -> None:
    """A folder with an encoder of roberta-large's shape, or as `shape` changes it.

    Its tokenizer is the OPT tokenizer in the file `tokenizer`, with RoBERTa's marks about a text.
    """
    model = RobertaModel(RobertaConfig(**ROBERTA_LARGE | shape), add_pooling_layer=False)
    fill(model, seed)
    model.save_pretrained(folder)
    marked = Tokenizer.from_file(str(tokenizer))
    ids = [(mark, marked.token_to_id(mark)) for mark in ("<s>", "</s>")]
    marked.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ids)
    PreTrainedTokenizerFast(
        tokenizer_object=marked,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=512,
    ).save_pretrained(folder)
