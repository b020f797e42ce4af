"""Facts as a text states them; known values."""

import pytest
from hypothesis import given

from sparsesum.scoring.facts import Evidence, Fact, facts, numbers, ordinary_words
from tests.unit.test_fuzz import ANY, fuzz

ORDINARY = ordinary_words(["requires the rural border to be amended", "FY Act"])


def stated(text: str) -> list[tuple[str, str]]:
    return [(fact.kind, fact.value) for fact in facts(text, ORDINARY)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("777 acres", [("number", "777")]),
        ("8,271 acres in 2004", [("number", "8271"), ("year", "2004")]),
        ("2,004 acres", [("number", "2004")]),
        ("$42,000,000", [("amount", "42000000")]),
        ("$1.5 million", [("amount", "1500000")]),
        ("$ 3.50", [("amount", "3.5")]),
        ("42.5 percent, 42.50 percent", [("number", "42.5"), ("number", "42.5")]),
        ("2 million dollars", [("amount", "2000000")]),
        ("five years", [("number", "5")]),
        ("a five-year, a 5-year plan", [("number", "5"), ("number", "5")]),
        ("two hundred thousand dollars", [("amount", "200000")]),
        ("twenty-five, thirty", [("number", "25"), ("number", "30")]),
        ("one of the first on the second day", []),
        ("1 of them", [("number", "1")]),
        ("FY2004 and FY 2005", [("year", "2004"), ("year", "2005")]),
        ("(1) to (a) or (12) it", []),
        ("section 501(c)(3)", [("number", "501")]),
        ("the 101st", [("number", "101")]),
        ("B2B, x9", []),
        ("007", [("number", "7")]),
        ("TAFFY2004", []),
        ("(101) to (1001)", [("number", "1001")]),
        ("1699, 1700 to 2100", [("number", "1699"), ("year", "1700"), ("year", "2100")]),
        ("2101", [("number", "2101")]),
        ("$3 trillion", [("amount", "3000000000000")]),
        ("2000 million", [("number", "2000000000")]),
        # A line's end ends a number: text on a line of its own does not change the one before.
        ("two\nhundred", [("number", "2"), ("number", "100")]),
        ("5\ndollars", [("number", "5")]),
        ("$\n5\nmillion\ndollars", [("number", "5"), ("number", "1000000")]),
        ("1,2 and 1,2345", [("number", "1"), ("number", "2"), ("number", "1"), ("number", "2345")]),
    ],
)
def test_numbers_years_and_amounts(text, found):
    assert stated(text) == found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("the Secretary of Labor and the Secretary", ["secretary of labor", "secretary"]),
        ("the Secretary of the Interior", ["secretary of the interior"]),
        ("to Denbury County, Vermont, for", ["denbury county", "vermont"]),
        ("the Act of 1999", ["act"]),
        ("Requires the Secretary", ["secretary"]),
        ("Halter Safe Bridges Act - Requires it", ["halter safe bridges act"]),
        # "rural" and "border" are written small elsewhere.
        ("Rural Clinics Act. Border Hospital Act.", ["clinics act", "hospital act"]),
        ("It ends. Congress shall", []),
        ("of U.S. Code and St. Louis", ["u.s code", "st louis"]),
        ("Maria's house; the County's land", ["county"]),
        ("the Safe\nBridges Act", ["safe", "bridges act"]),
        ("A or B, and I", []),
        ("the EPA and the ''", ["epa"]),
        ("the Fish & Wildlife Service", ["fish wildlife service"]),
        ("and The Secretary", ["secretary"]),
        ("to 2) Requires it", []),
    ],
)
def test_names(text, names):
    assert [value for kind, value in stated(text) if kind == "name"] == names


def test_quotes_are_one_fact_each():
    text = 'cited as the ``Calter Act\'\', “clear water”, "a Bill", ""'
    assert stated(text) == [("quote", "calter act"), ("quote", "clear water"), ("quote", "a bill")]
    assert stated("“clear water”Ohio") == [("quote", "clear water"), ("name", "ohio")]


def test_a_mark_without_its_pair_takes_no_names_of_the_next_line():
    for opening, closing in ('""', "“”", ("``", "''")):
        text = f"of {opening}Ohio\nor Iowa{closing} and"
        assert stated(text) == [("name", "ohio"), ("name", "iowa")]


def test_a_fact_says_where_it_stands():
    text = "pays $2 million to the County of Ohio"
    assert [text[fact.start : fact.end] for fact in facts(text, ORDINARY)] == [
        "$2 million",
        "County of Ohio",
    ]


SOURCE = Evidence(
    "The Environmental Protection Agency, the Department of Health and\nHuman Services and the "
    "county of Ohio's land: $42,000,000 for five years, 1,000 acres; two Federal Courts."
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in 5 years", True),
        ("in 6 years", False),
        ("$42 million", True),
        ("42 million", False),  # acres, say
        ("by $5", False),
        ("1000", True),
        ("2 courts", True),
        ("the County of Ohio", True),
        ("the County of Iowa", False),
        ("the Department of Health", True),
        ("the Human Services", True),
        ("the EPA", True),
        ("the HHS", True),
        ("the EPD", False),
        ("the EP", False),
        ("the Court", False),  # only whole words
        ('an "agency, the department"', True),
    ],
)
def test_evidence(text, found):
    (fact,) = facts(text, ORDINARY)
    assert (fact in SOURCE) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Centers for the Care of Dogs on Land and in Water", True),
        ("Centers, Care, Dogs, Land, Water", False),
        ("Centers Care Dogs; and Land Water", False),
        ("Centers Care Dogs with Land Water", False),
    ],
)
def test_initials_are_of_words_in_a_row(text, found):
    (acronym,) = facts("the CCDLW", ORDINARY)
    assert (acronym in Evidence(text)) is found


def test_where_the_evidence_stands():
    text = "Ohio's land, Ohio and ohio. 5 or five."
    where = Evidence(text)
    (name, number) = facts("in Ohio, 5", ORDINARY)
    assert [text[a:b] for a, b in where.spans(name)] == ["Ohio's", "Ohio", "ohio"]
    assert [text[a:b] for a, b in where.spans(number)] == ["5", "five"]


@fuzz(300)
@given(ANY)
def test_any_text_has_facts_and_says_them_itself(text):
    itself = Evidence(text)
    for fact in facts(text, ()):
        assert fact in itself and itself.spans(fact)
        assert 0 <= fact.start < fact.end <= len(text)


@pytest.mark.long("times texts long enough to be timed")
def test_long_texts_of_one_kind_take_no_longer_than_others():
    for text in ("9" * 10**6, "1,111" * 10**5, '"' * 10**5, "Aa " * 10**5, "``" * 10**5):
        assert len(list(numbers(text))) <= len(text)
        facts(text, ())


def test_the_same_fact_in_another_form_is_the_same():
    assert Fact("year", "1999", 0, 4).key == Fact("number", "1999", 7, 11).key
    assert Fact("amount", "5", 0, 2).key != Fact("number", "5", 0, 1).key
