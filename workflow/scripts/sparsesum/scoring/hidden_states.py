"""Hidden states of texts, from the first layers of any encoder that transformers knows.

Source: bert-score 0.3.13, `get_model`: an encoder without the layers above, and its last hidden
state, behind its last norm where it has one (T5, ModernBERT). That knows eight kinds by their
attributes; here a cut is tried, and kept if it changes nothing below it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers

from sparsesum.base.errors import InputError
from sparsesum.scoring import encoder

UNLIMITED = 2**31 - 1
RELATIVE = ("t5", "mt5", "umt5", "xlnet")
"""Types whose positions are relative alone: a text of any length can be read."""


class Layer(torch.nn.Module):
    """An encoder that cannot be cut: all of it runs, and one hidden state of many is taken."""

    def __init__(self, model: torch.nn.Module, number: int) -> None:
        super().__init__()
        self.model, self.number = model, number

    def forward(
        self, ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any
    ) -> tuple[torch.Tensor]:
        """The hidden state, [texts, tokens, width], alone in a tuple."""
        found = self.model(ids, attention_mask=attention_mask, output_hidden_states=True)
        return (found.hidden_states[self.number],)


def load(
    folder: str | Path, layers: int, device: str
) -> tuple[torch.nn.Module, transformers.PreTrainedTokenizerBase]:
    """A folder's encoder up to so many layers, and a tokenizer that cuts to what it takes.

    The encoder's first output for ids and mask [texts, tokens] is the hidden state after `layers`
    layers, [texts, tokens, width], in float32. Of an encoder with a decoder (T5, BART) it is the
    encoder. No code and no pickle of the folder is opened. Raises InputError where the folder holds
    no such encoder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; score.encoder is the folder of an encoder")
    transformers.utils.logging.disable_progress_bar()
    # What of it matters is checked below, and reported in a line.
    transformers.utils.logging.set_verbosity_error()
    config = _loaded(transformers.AutoConfig, folder, "config.json")
    what = f"{folder} ({config.model_type})"
    whole, report = _loaded(
        transformers.AutoModel,
        folder,
        "encoder",
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # reported below
    )
    model = whole.encoder if hasattr(whole, "encoder") and hasattr(whole, "decoder") else whole
    _check_weights(what, whole, model, report)
    cut = _up_to(what, model.eval(), layers)
    tokenizer = _tokenizer(folder, what)
    tokenizer.model_max_length = _longest(folder, what, model, tokenizer.model_max_length)
    return cut.to(device), tokenizer


def _loaded(kind: Any, folder: Path, part: str, **options: Any) -> Any:
    """What transformers makes of a part of the folder; InputError where it makes nothing of it."""
    try:
        return kind.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, **options
        )
    except (MemoryError, RuntimeError):  # the machine's
        raise
    except Exception as error:  # of tokenizers, safetensors, ...: each has its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(
            f"{folder}: its {part} cannot be loaded: {reason}; save encoder and tokenizer again "
            "with transformers' save_pretrained, or set score.encoder to another encoder"
        ) from None


def _tokenizer(folder: Path, what: str) -> transformers.PreTrainedTokenizerBase:
    """The folder's tokenizer, with a vocabulary and marks of its own."""
    tokenizer = _loaded(transformers.AutoTokenizer, folder, "tokenizer")
    # bert-score's choice for these: a text's first word has a blank before it, as all others.
    if isinstance(tokenizer, transformers.RobertaTokenizer | transformers.GPT2Tokenizer):
        tokenizer = _loaded(transformers.AutoTokenizer, folder, "tokenizer", add_prefix_space=True)
    mend = "save its tokenizer there with save_pretrained, or set score.encoder to another encoder"
    # transformers makes one up where there is no file of it.
    if len(tokenizer.get_added_vocab()) >= len(tokenizer):
        raise InputError(f"{what}: no tokenizer (tokenizer.json or vocab.txt); {mend}")
    marks = tokenizer("")["input_ids"]
    if not marks or not {*marks} <= {*tokenizer.all_special_ids}:
        raise InputError(
            f"{what}: its tokenizer puts no CLS and SEP token (nor an end token) that it names "
            f"around a text, as an encoder's does; {mend}"
        )
    if tokenizer.pad_token_id is None:
        raise InputError(f"{what}: its tokenizer has no padding token; {mend}")
    return tokenizer


def _check_weights(
    what: str, whole: torch.nn.Module, model: torch.nn.Module, report: dict[str, Any]
) -> None:
    """Raise InputError if a weight that decides hidden states is not the file's: it is random."""
    lacking = {*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])}
    random = {id(p): name for name, p in whole.named_parameters() if name in lacking}
    for name, parameter in model.named_parameters():
        if id(parameter) in random and not name.startswith("pooler."):
            raise InputError(
                f"{what}: its safetensors have no {random[id(parameter)]} of the shape that "
                "config.json says; take both from one source"
            )


def _longest(folder: Path, what: str, model: "transformers.PreTrainedModel", named: int) -> int:
    """The most tokens of a text, marks included; `named`: what the tokenizer says."""
    positions = getattr(model.config, "max_position_embeddings", None) or 0
    # RoBERTa and its kin (XLM-R, MPNet) count positions from behind their padding index.
    padding = getattr(getattr(model, "embeddings", None), "padding_idx", None)
    limits = [named] if named < UNLIMITED else []
    if positions > 0:
        limits.append(positions - (-1 if padding is None else padding) - 1)
    if limits:
        return min(limits)
    said = encoder.read(folder / "sentence_bert_config.json").get("max_seq_length")
    if isinstance(said, int) and said > 0:
        return said
    if model.config.model_type in RELATIVE:
        return UNLIMITED
    raise InputError(
        f"{what}: neither its config.json (max_position_embeddings) nor its tokenizer says how "
        "long a text can be; write model_max_length into its tokenizer_config.json"
    )


def _up_to(what: str, model: "transformers.PreTrainedModel", number: int) -> torch.nn.Module:
    """The model without its layers above the first `number`, or one that gives their output."""
    padding = getattr(model.config, "pad_token_id", None)
    first, second, third, *_ = (i for i in range(5) if i != padding)
    states = _states(model, [first, second, third])
    if states is None:
        raise InputError(
            f"{what}: gives no hidden state a token for a text alone; set score.encoder to an "
            "encoder of texts (BERT, RoBERTa, DeBERTa, MPNet, T5, ...)"
        )
    total = len(states) - 1
    if not 0 <= number <= total:
        raise InputError(
            f"{what}: has {total} layers, score.layer asks for {number}; allowed is 1 to {total}"
        )
    others = _states(model, [first, second, first])
    if torch.equal(states[-1][:, 0], others[-1][:, 0]):  # type: ignore[index]  # as the first
        raise InputError(
            f"{what}: a decoder: its tokens do not see what comes after them; set score.encoder to "
            "an encoder (BERT, RoBERTa, DeBERTa, MPNet, T5, ...)"
        )
    if number == total:
        return model
    for holder, name, value in _cuts(model, number):
        before = getattr(holder, name)
        setattr(holder, name, value)
        found = _states(model, [first, second, third])
        # The last layer that is left may have the model's last norm behind it. A count does not say
        # which layers are left: there, its state has to be the same as well.
        same = number if isinstance(value, torch.nn.ModuleList) else number + 1
        if found and len(found) == number + 1 and all(map(torch.equal, found[:same], states)):
            return model
        setattr(holder, name, before)
    return Layer(model, number)


def _states(model: torch.nn.Module, ids: list[int]) -> tuple[torch.Tensor, ...] | None:
    """The hidden states of one text: before all layers, and after each; [1, tokens, width].

    None where the model gives something else, or needs more than a text.
    """
    mask = torch.ones(1, len(ids), dtype=torch.long)
    try:
        with torch.no_grad():
            found = model(torch.tensor([ids]), attention_mask=mask, output_hidden_states=True)
        states = found.hidden_states
    except (TypeError, ValueError, AttributeError, LookupError, NotImplementedError):
        return None
    if not states or any(state.shape[:2] != mask.shape for state in states):
        return None
    return states


def _cuts(
    model: "transformers.PreTrainedModel", number: int
) -> Iterator[tuple[object, str, object]]:
    """Ways to leave out the layers above: of what the attribute, and what to set it to."""
    total = model.config.num_hidden_layers
    for holder in (model, *(getattr(model, name, None) for name in ("encoder", "transformer"))):
        for name in ("layer", "layers", "block"):
            layers = getattr(holder, name, None)
            if isinstance(layers, torch.nn.ModuleList) and len(layers) == total:
                yield holder, name, layers[:number]
    if hasattr(model, "n_layers"):  # XLM
        yield model, "n_layers", number
    yield model.config, "num_hidden_layers", number  # ALBERT runs the same layer so often
