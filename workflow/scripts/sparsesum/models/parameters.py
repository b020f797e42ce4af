"""How many parameters an OPT model has, by arithmetic: a dry run must not load torch."""

from typing import Any


def count(config: dict[str, Any]) -> int:
    """The parameters of a model of `config` (the contents of a Hub config.json).

    A head that is tied to the embedding is counted once; positions have two rows more than the
    longest text (arXiv 2205.01068 and transformers' OPTLearnedPositionalEmbedding). Raises KeyError
    where the shape is not all there.
    """
    wide, inner = config["hidden_size"], config["ffn_dim"]
    embedded = config.get("word_embed_proj_dim") or wide
    bias = int(config.get("enable_bias", True))
    attention = 4 * (wide + bias) * wide
    feed_forward = (wide + bias) * inner + (inner + bias) * wide
    norm = 2 * wide if config.get("layer_norm_elementwise_affine", True) else 0
    layer = attention + feed_forward + 2 * norm
    heads = 1 if config.get("tie_word_embeddings", True) else 2
    total = heads * config["vocab_size"] * embedded
    total += (config["max_position_embeddings"] + 2) * wide
    total += config["num_hidden_layers"] * layer
    if embedded != wide:
        total += 2 * embedded * wide
    if config.get("do_layer_norm_before", True) and not config.get("_remove_final_layer_norm"):
        total += norm
    return total
