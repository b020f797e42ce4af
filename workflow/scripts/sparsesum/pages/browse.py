"""The page to read outputs on: all rows' predictions of a bill side by side, in one HTML file."""

import base64
import hashlib
import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sparsesum.experiment.grid import Row

MARKS = ("blank", "cut_off")
SCORES = ("rougeLsum", "bertscore")
GROUNDING = """
    fact_f1 facts unsupported reference_facts recalled longest_copy coverage rep_4 length_ratio
""".split()
"""What the page shows of an example's scores, and of its grounding."""

LONGEST = 60_000
"""Characters of a text on the page; BillSum's bills have at most 20,000."""

OPENING, OFTEN, LEAST = 4, 0.3, 3
"""Words that outputs begin with; the share of outputs and the number from which it is reported."""

# One character for each, so that places in a text stay: pictures of control characters, a
# replacement for what would turn or break lines or is no character.
_PICTURES: dict[int, Any] = {code: 0x2400 + code for code in range(32)} | {0x7F: 0x2421}
_PICTURES |= dict.fromkeys((0x85, 0x2028, 0x2029), 0x2424) | {ord("\r"): " "}
_NONE = [*range(0x80, 0x85), *range(0x86, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F)]
_NONE += [*range(0x2066, 0x206A), 0xFEFF, 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)]
_PICTURES |= dict.fromkeys(_NONE, 0xFFFD)
_PICTURES = {code: picture for code, picture in _PICTURES.items() if chr(code) not in "\n\t"}


def shown(text: str) -> str:
    """A text as the page shows it: as long, up to `LONGEST`, and without control characters."""
    return text[:LONGEST].translate(_PICTURES)


def utf16(text: str) -> Callable[[int], int]:
    """From a place in `text` to the same place in UTF-16, as JavaScript counts; cut at its end."""
    beyond = [place for place, character in enumerate(text) if character > "\uffff"]
    return lambda place: min(place, len(text)) + bisect_left(beyond, place)


def spans(text: str, given: Sequence[Sequence[int]]) -> list[list[int]]:
    """Spans of `text` ([start, end, ...] in characters) in UTF-16, without those beyond its end."""
    place = utf16(text)
    return [[place(start), place(end), *more] for start, end, *more in given if start < len(text)]


def opening(predictions: list[str], references: list[str]) -> list[Any] | None:
    """What many outputs begin with: its words, and the share of outputs (0..1).

    None where too few do, or where references begin so half as often.
    """
    first, own = (
        Counter(" ".join(text.split()[:OPENING]) for text in texts if text.strip())
        for texts in (predictions, references)
    )
    words, count = max(first.items(), key=lambda item: item[1], default=("", 0))
    if count < max(LEAST, OFTEN * len(predictions)) or own[words] * 2 >= count:
        return None
    return [shown(words)[:80], round(count / len(predictions), 2)]


def columns(
    examples: list[dict[str, str]], grounding: list[dict[str, str]]
) -> dict[str, list[Any]]:
    """The scores of a row's examples, a list a score; None where a cell is blank."""
    found: dict[str, list[Any]] = {
        mark: [int(example[mark] == "True") for example in examples] for mark in MARKS
    }
    for names, lines in ((SCORES, examples), (GROUNDING, grounding)):
        for name in names:
            found[name] = [_number(line[name]) for line in lines]
    return found


def _number(cell: str) -> float | int | None:
    if cell == "":
        return None
    value = round(float(cell), 4)
    return int(value) if value.is_integer() else value


def index(
    rows: list[Row],
    bills: dict[str, list[dict[str, Any]]],
    generations: dict[str, list[list[dict[str, Any]]]],
    examples: list[list[dict[str, str]]],
    grounding: list[list[dict[str, str]]],
) -> dict[str, Any]:
    """What lists and overview need; arguments as for `page`. Raises ValueError, as it does."""
    splits = {}
    for split, records in bills.items():
        scores, openings = [], []
        for number in range(len(rows)):
            lines = [
                [line for line in table[number] if line["split"] == split]
                for table in (examples, grounding)
            ]
            written = generations[split][number]
            ids = [[record["id"] for record in group] for group in (records, written, *lines)]
            if any(other != ids[0] for other in ids):
                raise ValueError(f"{rows[number].path}, {split}: not the same bills everywhere")
            scores.append(columns(*lines))
            openings.append(
                opening([r["prediction"] for r in written], [r["summary"] for r in records])
            )
        splits[split] = {
            "ids": [record["id"] for record in records],
            "titles": [" ".join(shown(record["title"][:300]).split()) for record in records],
            "scores": scores,
            "openings": openings,
        }
    names = ("name", "model", "finetuning", "pruner", "sparsity", "path")
    cells = [{name: getattr(row, name) for name in names} for row in rows]
    return {"rows": cells, "splits": splits}


def texts(
    bill: dict[str, Any], written: list[dict[str, Any]], marks: list[dict[str, Any]]
) -> dict[str, Any]:
    """What is shown of a bill: its texts, each row's prediction, and the spans marked in them.

    `written`: each row's generation. The reference is the longest that a row was scored with (a
    tokenizer cuts it); its facts are spans; `recalled` are those that a row found, by number.
    """
    facts = sorted(
        {tuple(span) for mark in marks for kind in mark["reference"].values() for span in kind}
    )
    rows = []
    for generation, mark in zip(written, marks, strict=True):
        text = shown(generation["prediction"])
        rows.append(
            {
                "prediction": text,
                "copied": spans(text, mark["copied"]),
                "repeated": spans(text, mark["repeated"]),
                "unsupported": spans(text, mark["unsupported"]),
                "recalled": [facts.index(tuple(span)) for span in mark["reference"]["recalled"]],
            }
        )
    reference = shown(max((generation["reference"] for generation in written), key=len))
    return {
        "source": shown(bill["text"]),
        "reference": reference,
        "facts": spans(reference, facts),
        "rows": rows,
    }


def page(
    rows: list[Row],
    bills: dict[str, list[dict[str, Any]]],
    generations: dict[str, list[list[dict[str, Any]]]],
    examples: list[list[dict[str, str]]],
    grounding: list[list[dict[str, str]]],
    marks: list[list[dict[str, Any]]],
    preset: str,
    note: str,
) -> str:
    """The page as HTML, to be written in UTF-8: its data, its style and its script within it.

    By split, `bills` has the corpus's records and `generations` each row's; of each row, `examples`
    and `grounding` are the lines of its CSV files and `marks` the records of its spans, of all
    splits one after the other. Raises ValueError where they are not of the same bills.
    """
    whole = {"preset": shown(preset), "note": shown(note), "longest": LONGEST}
    data = {"index": _json(whole | index(rows, bills, generations, examples, grounding))}
    for split, records in bills.items():
        of_split = [[mark for mark in row if mark["split"] == split] for row in marks]
        # A line a bill, so that the page parses those that are looked at.
        data[f"texts-{split}"] = "\n".join(
            _json(texts(*parts))
            for parts in zip(
                records,
                *(zip(*of, strict=True) for of in (generations[split], of_split)),
                strict=True,
            )
        )
    template, style, script = (
        Path(__file__).with_suffix(ending).read_text("utf-8") for ending in (".html", ".css", ".js")
    )
    parts = {
        "style": style,
        "script": script,
        # Nothing else may run, whatever a bill holds, and nothing may be fetched.
        "policy": f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'",
        "data": "\n".join(
            f'<script type="application/json" id="{name}">{text}</script>'
            for name, text in data.items()
        ),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], template)


def _json(value: object) -> str:
    """JSON that nothing in it can end: as text of a script element "<" stands nowhere."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
