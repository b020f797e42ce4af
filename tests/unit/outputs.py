"""Outputs of rows as the rules write them, made up: what `browse.page` takes."""

from collections.abc import Callable

from sparsesum.experiment.grid import Row

ROWS = [
    Row("small", "base", "none", "none"),
    Row("small", "qlora", "wanda", "2:4"),
    Row("large", "full", "none", "none"),
]
SCORES = {
    "rougeLsum": 0.4, "bertscore": 0.6, "blank": False, "cut_off": False, "words": 9, "rep_4": 0,
    "coverage": 0.5, "longest_copy": 0, "facts": 0, "unsupported": "", "reference_facts": 0,
    "recalled": "", "fact_f1": 0.5, "length_ratio": 1,
}  # fmt: skip
"""Of an output of which nothing more is said."""


def bill(number: int, text: str = "", summary: str = "", title: str = "") -> dict:
    """A corpus's record."""
    return {
        "id": f"test-{number}",
        "title": title or f"An act, the {number}th",
        "text": text or f"Section {number}. The county shall inspect its bridges each year.",
        "summary": summary or f"Requires inspections, by law {number}.",
    }


def spans(text: str, parts: list[str]) -> list[list[int]]:
    """Where the parts stand in the text, in characters."""
    return [[text.index(part), text.index(part) + len(part)] for part in parts]


def outputs(
    bills: dict[str, list[dict]], say: Callable[[Row, str, dict], dict], rows: list[Row] = ROWS
) -> dict:
    """The arguments of `browse.page`.

    `say` gives of a row and a bill its `prediction`; what of it is `copied`, `repeated` and
    `unsupported_facts`, and what of the reference `recalled_facts` and `missed_facts`, all as lists
    of parts of the text; and what scores differ from `SCORES`.
    """
    generations: dict[str, list] = {split: [] for split in bills}
    examples, grounding, marks = [], [], []
    for row in rows:
        lines, spanned = [], []
        for split, records in bills.items():
            made = []
            for record in records:
                said = {"prediction": f"{row.finetuning} on {record['id']}."} | say(
                    row, split, record
                )
                text, reference = said.pop("prediction"), record["summary"]
                copied = said.pop("copied", [])
                spanned.append(
                    {
                        "split": split,
                        "id": record["id"],
                        "copied": [
                            [*span, len(part.split())]
                            for part, span in zip(copied, spans(text, copied), strict=True)
                        ],
                        "repeated": spans(text, said.pop("repeated", [])),
                        "unsupported": spans(text, said.pop("unsupported_facts", [])),
                        "supported": [],
                        "reference": {
                            kind: spans(reference, said.pop(f"{kind}_facts", []))
                            for kind in ("recalled", "missed")
                        },
                    }
                )
                made.append({"id": record["id"], "prediction": text, "reference": reference})
                cells = {"split": split, "id": record["id"]} | SCORES | said
                lines.append({key: str(value) for key, value in cells.items()})
            generations[split].append(made)
        examples.append(lines)
        grounding.append(lines)
        marks.append(spanned)
    return {
        "rows": rows,
        "bills": bills,
        "generations": generations,
        "examples": examples,
        "grounding": grounding,
        "marks": marks,
        "preset": "made-up",
        "note": "A test's outputs.",
    }
