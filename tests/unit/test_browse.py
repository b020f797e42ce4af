"""The page's data: what is in it, where marks lie, and that no text gets out of it."""

import base64
import hashlib
import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from outputs import ROWS, bill, outputs

from sparsesum.pages import browse

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)> {{script}} ]]>"
TURNED = "\u202edesrever\u2066\u200f \ud800 \x00\x1b[2J \x85\u2028\ufeff\r\n\tend"


class Scripts(HTMLParser):
    """The script and style elements of a page, and the policy that it sets."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[list] = []
        self.policy, self.inside = "", False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.policy = self.policy or given.get("content", "") * ("http-equiv" in given)
        self.inside = tag in ("script", "style")
        if self.inside:
            self.found.append([tag, given, ""])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][2] += data

    def data(self) -> dict:
        """The index, and of each split a list of its bills' texts."""
        blocks = {a["id"]: text for _, a, text in self.found if "id" in a}
        return {
            name: json.loads(text) if name == "index" else [*map(json.loads, text.splitlines())]
            for name, text in blocks.items()
        }


def made(say=lambda row, split, record: {}, **bills) -> dict:
    bills = bills or {"validation": [bill(1)], "test": [bill(1), bill(2)]}
    return Scripts(browse.page(**outputs(bills, say))).data()


def test_everything_is_in_its_place():
    def say(row, split, record):
        return {"prediction": f"{row.path} {split} {record['id']}", "fact_f1": len(row.path) / 100}

    found = made(say)
    assert [row["name"] for row in found["index"]["rows"]] == [
        "small base", "small qlora wanda 2:4", "large full",
    ]  # fmt: skip
    assert found["index"]["preset"] == "made-up" and found["index"]["note"] == "A test's outputs."
    test = found["index"]["splits"]["test"]
    assert test["ids"] == ["test-1", "test-2"] and test["titles"][1] == "An act, the 2th"
    for number, row in enumerate(ROWS):
        assert test["scores"][number]["fact_f1"] == [len(row.path) / 100] * 2
        for split, count in {"validation": 1, "test": 2}.items():
            predictions = [b["rows"][number]["prediction"] for b in found[f"texts-{split}"]]
            assert predictions == [f"{row.path} {split} test-{i + 1}" for i in range(count)]
    for number, texts in enumerate(found["texts-test"], start=1):
        assert texts["source"] == bill(number)["text"]
        assert texts["reference"] == bill(number)["summary"]


def test_cells_become_numbers():
    line = {"a": "0.123456", "b": "", "c": "12.0", "d": "0"}
    assert [browse._number(line[key]) for key in "abcd"] == [0.1235, None, 12, 0]
    found = made(lambda row, split, record: {"blank": row == ROWS[1], "unsupported": ""})
    scores = found["index"]["splits"]["test"]["scores"]
    assert [row["blank"] for row in scores] == [[0, 0], [1, 1], [0, 0]]
    assert scores[0]["unsupported"] == [None, None]


def test_marks_lie_in_utf16():
    text = "𝔸𝔹 the county of Kenler is 🜚 named. The county of Kenler is."
    found = made(
        lambda row, split, record: {
            "prediction": text,
            "copied": ["the county of Kenler"],
            "repeated": ["The county of Kenler is"],
            "unsupported_facts": ["🜚"],
        }
    )
    row = found["texts-test"][0]["rows"][0]
    units = text.encode("utf-16-le")

    def cut(span):
        return units[2 * span[0] : 2 * span[1]].decode("utf-16-le")

    assert [cut(span) for span in row["unsupported"]] == ["🜚"]
    assert [cut(span) for span in row["repeated"]] == ["The county of Kenler is"]
    assert [(cut(span), span[2]) for span in row["copied"]] == [("the county of Kenler", 4)]


def test_facts_of_a_reference_are_told_once_and_found_by_number():
    reference = bill(1, summary="Pays $5 to 7 counties in 1999.")
    found_by = {"base": ["7"], "qlora": [], "full": ["$5", "1999", "7"]}

    def say(row, split, record):
        found = found_by[row.finetuning]
        return {
            "recalled_facts": found,
            "missed_facts": [fact for fact in ("$5", "7", "1999") if fact not in found],
        }

    (texts,) = made(say, test=[reference])["texts-test"]
    assert [reference["summary"][a:b] for a, b in texts["facts"]] == ["$5", "7", "1999"]
    assert [sorted(row["recalled"]) for row in texts["rows"]] == [[1], [], [0, 1, 2]]


def test_no_text_gets_out_of_its_place():
    hostile = bill(1, HOSTILE, HOSTILE, HOSTILE)
    arguments = outputs({"test": [hostile]}, lambda *_: {"prediction": HOSTILE})
    page = browse.page(**arguments | {"preset": HOSTILE, "note": HOSTILE})
    found = Scripts(page)
    tags = [tag for tag, _, _ in found.found]
    assert tags == ["style", "script", "script", "script"]
    (texts,) = found.data()["texts-test"]
    assert texts["source"] == texts["rows"][0]["prediction"] == HOSTILE
    assert found.data()["index"]["note"] == HOSTILE
    assert "<!--" not in page and "<img" not in page


def test_the_policy_allows_this_script_and_style_and_nothing_else():
    found = Scripts(browse.page(**outputs({"test": [bill(1)]}, lambda *_: {})))
    rules = dict(rule.split(maxsplit=1) for rule in found.policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    for tag, attributes, text in found.found:
        if "id" not in attributes:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert rules.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert not rules
    script = next(text for tag, a, text in found.found if tag == "script" and not a)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)


def test_control_characters_are_shown_and_keep_their_place():
    text = browse.shown(TURNED)
    assert len(text) == len(TURNED)
    kinds = {unicodedata.category(character) for character in text if character not in "\n\t"}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"}
    assert "␀␛[2J" in text and text.endswith(" \n\tend")
    assert browse.shown("naïve 中文 𝔸\n\t“x”") == "naïve 中文 𝔸\n\t“x”"


def test_a_long_text_is_cut_and_so_are_its_marks():
    long = "word " * 100_000 + "end 7"
    (texts,) = made(
        lambda *_: {"prediction": long, "unsupported_facts": ["7"], "recalled_facts": ["7"]},
        test=[bill(1, text=long, summary=long)],
    )["texts-test"]
    assert len(texts["source"]) == len(texts["reference"]) == browse.LONGEST
    assert texts["rows"][0]["unsupported"] == texts["facts"] == []
    assert browse.spans("abc", [[1, 9], [3, 4]]) == [[1, 3]]


@pytest.mark.parametrize(
    ("predictions", "references", "told"),
    [
        (["The House took up it.", "The House took  up\nthat.", "The House took up", "A bill."],
         ["x"] * 4, ["The House took up", 0.75]),
        (["The House took up it."] * 2, ["x"] * 2, None),
        (["One of them is", "Two of them are", "Three of them", "Four"], ["x"] * 4, None),
        (["The House took up it."] * 4, ["The House took up this."] * 2 + ["x"] * 2, None),
        (["The House took up it."] * 4, ["The House took up this."] + ["x"] * 3,
         ["The House took up", 1.0]),
        (["", " ", "", ""], ["x"] * 4, None),
        ([], [], None),
        (["a b c d"] * 3 + [""] * 8, ["x"] * 11, None),
    ],
)  # fmt: skip
def test_what_many_outputs_begin_with(predictions, references, told):
    assert browse.opening(predictions, references) == told


@pytest.mark.parametrize("of", ["generations", "examples", "grounding", "bills"])
def test_rows_of_other_bills_are_refused(of):
    arguments = outputs({"test": [bill(1), bill(2)]}, lambda *_: {})
    assert browse.page(**arguments)
    if of == "generations":
        arguments[of]["test"][1].reverse()
    elif of == "bills":
        arguments[of]["test"] = [bill(1), bill(3)]
    else:
        arguments[of] = [arguments[of][0], arguments[of][1][:1], arguments[of][2]]
    with pytest.raises(ValueError, match="small/wanda_2of4/qlora|small/dense/base"):
        browse.page(**arguments)


def test_the_same_bytes_twice():
    pages = {browse.page(**outputs({"test": [bill(1)]}, lambda *_: {})) for _ in range(2)}
    assert len(pages) == 1
