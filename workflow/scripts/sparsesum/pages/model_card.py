"""The model card of an exported row: a README.md that says only what results and records say."""

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import pandas

from sparsesum.experiment import patterns
from sparsesum.experiment.grid import BASE
from sparsesum.pages import card_code, card_metadata

SCORES = {
    "rougeLsum": "ROUGE-Lsum",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "bertscore": "BERTScore",
    "fact_f1": "Fact F1",
    "unsupported": "Unsupported facts",
}
SHARES = {"blank_share": "Blank", "cut_off_share": "Cut off"}

UNSAID = ("code", "threads", "device", "deterministic", "prompt", "columns", "log_every")
"""Params that say nothing of how weights were made; the prompt has a section of its own."""

ON_DENSE = "_on_dense"

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes")
"""What loads the model, of the recorded versions."""


class Card(NamedTuple):
    """What a card is made of.

    row: corpus, model, variant, finetuning. scores: of each split (`scoring.means`); costs: as rule
    `measure` has them. weights: the records that led to the weights; records: those that led to the
    scores as well (`lineage.gathered`). model, corpus: where they come from
    (`card_metadata.front_matter`). prompt, text: as in `card_code.code`. config: the model's.
    adapter: whether there is one. packed: the file whose weights were unpacked, if any. sizes,
    hashes: bytes and SHA-256 of each file of the folder. preset, note: of the configuration.
    """

    row: dict[str, str]
    scores: dict[str, Any]
    costs: dict[str, Any]
    weights: dict[str, dict[str, Any]]
    records: dict[str, Any]
    model: dict[str, Any]
    corpus: dict[str, Any]
    prompt: dict[str, str]
    text: int
    max_new_tokens: int
    config: dict[str, Any]
    adapter: bool
    packed: str | None
    sizes: dict[str, int]
    hashes: dict[str, str]
    preset: str
    note: str

    @property
    def on_dense(self) -> bool:
        """Whether a pruned row's adapter lies beside the dense base."""
        return self.row["finetuning"].endswith(ON_DENSE)

    @property
    def method(self) -> str:
        """The method of fine-tuning, or "base"."""
        return self.row["finetuning"].removesuffix(ON_DENSE)

    @property
    def in_int8(self) -> bool:
        """Whether the Linears' weights are in 8 bits."""
        return "quantization_config" in self.config

    @property
    def dequantised(self) -> bool:
        """Whether the scores are of 8-bit values multiplied dense."""
        return self.in_int8 and self.costs["engine"] == "dense"


def markdown(card: Card) -> str:
    """The whole card, front matter first."""
    row = card.row
    name = f"{row['model']}, {row['variant']}, {row['finetuning']}"
    tags = [
        *(["pruning"] if _of_rule(card.weights, "prune") and not card.on_dense else []),
        *(["compression"] if _of_rule(card.weights, "shrink") else []),
        *(["8-bit", "bitsandbytes"] if card.in_int8 else []),
        *(["lora", "peft"] if card.adapter else []),
    ]
    sections = {
        "How it was made": _made(card),
        "Scores": _scores(card),
        "Costs": _costs(card),
        "Use": _use(card),
        "The prompt": _prompt(card),
        "Limits": _limits(card),
        "Licence": _licence(card),
        "Provenance": _provenance(card),
    }
    return (
        card_metadata.front_matter(name, card.model, card.corpus, tags, card.scores)
        + f"\n# {name}\n\n{_what(card)}\n\n"
        + "\n\n".join(f"## {head}\n\n{text}" for head, text in sections.items())
        + "\n"
    )


def _what(card: Card) -> str:
    """The row in words."""
    done = []
    if _of_rule(card.weights, "shrink"):
        steps = card.row["variant"].partition("@")[0].split("+")
        pruned = bool(_of_rule(card.weights, "prune"))
        done.append(f"shrunk ({', '.join(steps[:-1] if pruned else steps)})")
    done += [
        f"pruned by {job['params']['pruner']} ({patterns.spelled(job['params']['pattern'])})"
        for job in _of_rule(card.weights, "prune")
    ]
    if card.row["finetuning"] == BASE:
        done.append("not fine-tuned")
    else:
        done.append(f"fine-tuned by {card.method} on the corpus {card.row['corpus']}")
    if card.on_dense:
        done = [f"dense, with the adapter of the same model {', '.join(done)}"]
    if card.in_int8:
        done.append("with the Linears of its layers in 8 bits (LLM.int8)")
    if card.adapter:
        done.append("and a LoRA adapter beside them" if card.in_int8 else "with a LoRA adapter")
    return (
        f"An OPT model that summarises: {card.row['model']} (from {_place(card.model)}), "
        f"{', '.join(done)}. Made by sparsesum, preset {card.preset}. "
        "Before use, read its limits below."
    )


def _place(source: Mapping[str, Any]) -> str:
    """A source as anybody may know it: no path of the machine that it was on."""
    if not source["hub"]:
        return f"the folder {Path(source['source']).name}"
    revision = f" at {source['revision']}" if source["revision"] else ""
    return f"[{source['source']}](https://huggingface.co/{source['source']}){revision}"


def _of_rule(jobs: Mapping[str, dict[str, Any]], rule: str) -> list[dict[str, Any]]:
    return [job for job in jobs.values() if job["rule"] == rule]


def _made(card: Card) -> str:
    makers = {path: place for place, job in card.weights.items() for path in job["outputs"]}
    before = {
        place: [makers[path] for path in job["inputs"] if path in makers]
        for place, job in card.weights.items()
    }
    jobs = [card.weights[place] for place in TopologicalSorter(before).static_order()]
    stages = [
        f"{number}. `{job['rule']}`: {_settings(job['params'])} ({job['made'][:10]})"
        for number, job in enumerate(jobs, start=1)
    ]
    return "\n".join(stages) + (
        "\n\nA stage is made from stages above it. Its settings are those of config/README.md in "
        "sparsesum."
    )


def _settings(params: Mapping[str, Any]) -> str:
    """Settings as "name value", those of a section as its own."""
    said = []
    for name, value in params.items():
        if name in UNSAID or value in (None, "", {}, []):
            continue
        if isinstance(value, dict):
            said.append(_settings(value))
        elif name == "source":
            said.append(f"{name} {value if not Path(value).is_absolute() else Path(value).name}")
        elif isinstance(value, list):
            said.append(f"{name} {'+'.join(map(str, value))}")
        else:
            said.append(f"{name} {str(value).lower() if isinstance(value, bool) else value}")
    return ", ".join(filter(None, said))


def _scores(card: Card) -> str:
    splits = list(card.scores)
    lines = [("Texts", *(str(card.scores[split]["examples"]) for split in splits))]
    for metric, name in SCORES.items():
        lines.append((name, *(_interval(card.scores[split][metric]) for split in splits)))
    for share, name in SHARES.items():
        ends = {"mean": share, "low": f"{share}_low", "high": f"{share}_high"}
        cells = ({key: card.scores[split][of] for key, of in ends.items()} for split in splits)
        lines.append((name, *map(_interval, cells)))
    encoders = [job["params"] for job in _of_rule(card.records["jobs"], "examples")]
    by = "".join(
        f" BERTScore is by {Path(each['encoder']).name}, layer {each['layer']}."
        for each in encoders
    )
    return (
        f"{_table(['Score', *(split.capitalize() for split in splits)], lines)}\n\n"
        "In brackets: a 95 % interval over the texts, and over them alone; another training of the "
        f"model moves a score as well. All lie in 0..1.{by} Fact F1: the reference's numbers, "
        "years, amounts and names that a summary states in its own words. Unsupported: the share "
        "of a summary's facts that are not in the text. Cut off: summaries that did not end in "
        f"{card.max_new_tokens} tokens."
        f"{_engine(card)}"
    )


def _engine(card: Card) -> str:
    """How 8-bit weights were multiplied where the scores come from; nothing of float weights."""
    if card.dequantised:
        return (
            " The scores are of the 8-bit values multiplied dense, as in the code below. Without "
            "`dequantize` bitsandbytes' int8 kernels multiply them, which round their inputs to 8 "
            "bits as well: some summaries differ."
        )
    return " The scores are of bitsandbytes' int8 kernels." if card.in_int8 else ""


def _interval(figure: Mapping[str, float | None]) -> str:
    if figure["mean"] is None:
        return "none"
    return f"{figure['mean']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _costs(card: Card) -> str:
    costs = card.costs
    lines = [
        ("Parameters", f"{costs['parameters']:,}"),
        ("Nonzero parameters", f"{costs['nonzero_parameters']:,}"),
        ("Files that deploy the row [MiB]", f"{costs['size_mb']:.2f}"),
        *(
            (f"Milliseconds a token, {engine}", f"{value:.2f}")
            for engine, value in costs["ms_per_token"].items()
        ),
        ("Device", f"{costs['device']}, {costs['dtype']}"),
    ]
    packed = (
        f"\n\nThe row is deployed as a packed file, which leaves its zeros out: {card.packed} of "
        "sparsesum's results. transformers reads no such file, so the weights lie here unpacked; "
        "their size is below."
        if card.packed
        else ""
    )
    return (
        f"{_table(['Cost', 'Value'], lines)}\n\n"
        "Milliseconds a token are at batch size 1, the prompt's time taken off: `dense` by the "
        "decoder of sparsesum, `int8` by bitsandbytes' kernels, `transformers` by its generate "
        f"with the same values dense.{packed}"
    )


def _use(card: Card) -> str:
    versions = [
        f"{name}=={found[name].partition('+')[0]}"
        for found in card.records["versions"][:1]
        for name in PACKAGES
        if name in found
        and (name != "peft" or card.adapter)
        and (name != "bitsandbytes" or card.in_int8)
    ]
    adapter = ""
    if card.adapter:
        adapter = (
            "\n\nAt top is the base, and in adapter/ what was trained: `AutoModelForCausalLM` "
            'alone loads the base without it. The adapter calls its base ".", so '
            '`AutoPeftModelForCausalLM.from_pretrained("adapter")` finds it only where this folder '
            "is the current directory, and fails elsewhere."
        )
    source = card_code.code(
        card.prompt, card.text, card.costs["dtype"], card.dequantised, card.adapter
    )
    return (
        f"With {', '.join(versions)}:\n\n```python\n{source}```\n\n"
        "generation_config.json says the rest: the likeliest token at each step, "
        f"{card.max_new_tokens} at most, up to `STOP`. For that, `generate` is given the "
        f"tokenizer.{adapter}"
    )


def _prompt(card: Card) -> str:
    prompt = card.prompt
    shown = f"{prompt['before']}TEXT{prompt['after']}SUMMARY\n\n{prompt['stop']}".strip("\n")
    return (
        f"~~~~text\n{shown}\n~~~~\n\nTEXT is cut to {card.text} tokens. The prompt begins and ends "
        "with the line breaks that `BEFORE` and `AFTER` have above."
    )


def _limits(card: Card) -> str:
    positions = card.config["max_position_embeddings"]
    trained = (
        "It is not fine-tuned for summaries."
        if card.row["finetuning"] == BASE
        else f"It is fine-tuned on the train split of {card.row['corpus']} ({_place(card.corpus)}) "
        "with the prompt above. What it writes of texts unlike those scored was not measured."
    )
    unsupported = [
        f"{100 * mean:.1f} % ({split})"
        for split, score in card.scores.items()
        if (mean := score["unsupported"]["mean"]) is not None
    ]
    facts = (
        "A summary may state what the text does not: of a summary's numbers, years, amounts and "
        f"names, on average {' and '.join(unsupported)} are not in the text."
        if unsupported
        else "Whether its summaries state what the text does not was not measured: none has a fact."
    )
    lines = [
        f"Preset {card.preset}: {card.note.strip()}",
        trained,
        facts,
        f"It has {positions:,} positions: a prompt may have {positions - card.max_new_tokens:,} "
        f"tokens, with {card.max_new_tokens} for the summary. What stands behind the first "
        f"{card.text} tokens of a text is not read.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _licence(card: Card) -> str:
    if card_metadata.of_opt(card.model):
        return (
            f"OPT's own licence ([OPT-175B]({card_metadata.LICENCE})) holds for these weights, "
            "which are derived from OPT's: for research alone."
        )
    return f"The licence of the model's source holds ({_place(card.model)}); no other is given."


def _provenance(card: Card) -> str:
    made = max(job["made"] for job in card.weights.values())
    records = card.records
    commits = [
        f"{each['commit']}{'' if each['clean'] else ', with changes that are in no commit'}"
        for each in records["git"]
    ]
    lines = [
        f"Weights: made {made[:10]}.",
        f"Code: sparsesum at {'; '.join(commits)}." if commits else "Code: in no Git repository.",
        f"Devices: {'; '.join(records['device'])}.",
        *(
            f"Versions: {', '.join(f'{name} {number}' for name, number in sorted(found.items()))}."
            for found in records["versions"]
        ),
    ]
    sizes = [(name, f"{size:,}", card.hashes[name]) for name, size in card.sizes.items()]
    return (
        "\n".join(f"- {line}" for line in lines)
        + f"\n\n{_table(['File', 'Bytes', 'SHA-256'], sizes)}\n\n"
        "provenance.json, where it came along, is the record of the job that wrote the folder."
    )


def _table(heads: Sequence[str], lines: Sequence[tuple[str, ...]]) -> str:
    frame = pandas.DataFrame(lines, columns=list(heads))
    return str(frame.to_markdown(index=False, disable_numparse=True))
