"""Encoders of transformers' families: tiny, with random weights, in folders as the Hub has them."""

from collections.abc import Callable
from pathlib import Path

import torch
import transformers as t

WORDS = """
    the secretary shall make grants of labor may award to states amends internal revenue code repeal
    a tax on farms in ohio repeals farm no requires report congress bill directs attorney general
    study tunnels is directed . : horse
""".split()
LAYERS = 3
POSITIONS = 64
"""The longest text, in tokens with its marks, that a family with a table of positions takes."""

SIZE = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": LAYERS}
BERT = SIZE | {"intermediate_size": 32, "max_position_embeddings": POSITIONS}
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": LAYERS, "num_heads": 2}
BART = {
    "d_model": 16,
    "encoder_layers": LAYERS,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": POSITIONS,
}


def wordpiece(marks: list[str], make: Callable) -> t.PreTrainedTokenizerBase:
    pieces = marks + WORDS + sorted({c for word in WORDS for c in word} - {*WORDS})
    pieces += sorted({f"##{c}" for word in WORDS for c in word})
    return make(vocab={piece: i for i, piece in enumerate(pieces)})


def unigram(marks: list[str], make: Callable) -> t.PreTrainedTokenizerBase:
    letters = sorted({c for word in WORDS for c in word})
    scored = [(mark, 0.0) for mark in marks] + [(f"▁{word}", -4.0) for word in WORDS]
    return make(vocab=scored + [("▁", -9.0)] + [(c, -10.0) for c in letters])


def byte_level(marks: list[str], make: Callable) -> t.PreTrainedTokenizerBase:
    """With a blank before a text's first word, which bert-score's way leaves to a tokenizer."""
    letters = sorted({c for word in WORDS for c in word} | {c.upper() for w in WORDS for c in w})
    merges = [("Ġ", "t"), ("Ġ", "a"), ("r", "e"), ("Ġt", "h"), ("Ġth", "e")]
    pieces = marks + letters + ["Ġ"] + ["".join(pair) for pair in merges]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    return make(vocab=vocabulary, merges=merges, add_prefix_space=True)


BRACKETS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ANGLES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

FAMILIES: dict[str, tuple[Callable, list[str], Callable, Callable, dict]] = {
    "bert": (wordpiece, BRACKETS, t.BertTokenizer, t.BertConfig, BERT),
    "electra": (
        wordpiece, BRACKETS, t.BertTokenizer, t.ElectraConfig, BERT | {"embedding_size": 8},
    ),
    "distilbert": (
        wordpiece, BRACKETS, t.BertTokenizer, t.DistilBertConfig,
        {"dim": 16, "n_heads": 2, "n_layers": LAYERS, "hidden_dim": 32,
         "max_position_embeddings": POSITIONS},
    ),
    "mpnet": (
        wordpiece, ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"], t.MPNetTokenizer,
        t.MPNetConfig, BERT | {"max_position_embeddings": POSITIONS + 2},
    ),
    "roberta": (
        byte_level, ANGLES, t.RobertaTokenizer, t.RobertaConfig,
        BERT | {"max_position_embeddings": POSITIONS + 2},
    ),
    "xlm-roberta": (
        unigram, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], t.XLMRobertaTokenizer,
        t.XLMRobertaConfig, BERT | {"max_position_embeddings": POSITIONS + 2},
    ),
    "albert": (
        unigram, ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], t.AlbertTokenizer, t.AlbertConfig,
        BERT | {"embedding_size": 8},
    ),
    "deberta": (
        byte_level, ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"], t.DebertaTokenizer,
        t.DebertaConfig,
        BERT | {"relative_attention": True, "position_biased_input": False,
                "pos_att_type": ["c2p", "p2c"], "max_relative_positions": 8},
    ),
    "deberta-v2": (
        unigram, ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], t.DebertaV2Tokenizer,
        t.DebertaV2Config,
        BERT | {"relative_attention": True, "position_biased_input": False,
                "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "share_att_key": True,
                "norm_rel_ebd": "layer_norm"},
    ),
    "xlnet": (
        unigram, ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>"], t.XLNetTokenizer,
        t.XLNetConfig, {"d_model": 16, "n_layer": LAYERS, "n_head": 2, "d_inner": 32},
    ),
    "t5": (unigram, ["<pad>", "</s>", "<unk>"], t.T5Tokenizer, t.T5Config, T5),
    "bart": (byte_level, ANGLES, t.BartTokenizer, t.BartConfig, BART),
    "modernbert": (
        wordpiece, BRACKETS, t.BertTokenizer, t.ModernBertConfig,
        BERT | {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2,
                "eos_token_id": 3},
    ),
    "gpt2": (
        byte_level, ["<|endoftext|>"], t.GPT2Tokenizer, t.GPT2Config,
        {"n_embd": 16, "n_layer": LAYERS, "n_head": 2, "n_positions": POSITIONS},
    ),
}  # fmt: skip


def save(family: str, folder: Path, **more) -> Path:
    """An encoder of this family in `folder`; `more` of its configuration."""
    kind, marks, make, configuration, size = FAMILIES[family]
    tokenizer = kind(marks, make)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = configuration(**size | {"vocab_size": len(tokenizer)} | more)
    model = t.AutoModel.from_config(config)
    with torch.no_grad():  # no norm's weight is 1, no bias 0, and all tokens are somewhat alike
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.3 if parameter.dim() == 1 else 0.1))
        words = model.get_input_embeddings().weight
        words.add_(torch.randn_like(words[0]) * 2 * words.std())
    model.save_pretrained(folder)
    return folder
