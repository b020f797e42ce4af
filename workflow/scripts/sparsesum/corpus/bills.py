"""Synthetic bills in BillSum's columns: US style, and California style as the out-of-distribution.

A bill is drawn from a handful of kinds (grants, studies, penalties, conveyances, ...). Its summary
rests on facts that stand once in the text among distracting ones (findings with other names, years
and amounts), so a model must find and copy them. Names are put together from syllables: there are
too many to learn by heart.

The same seed gives the same bytes: only `random.Random` is used, with methods whose results Python
keeps stable between versions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from sparsesum.corpus.bill_words import (
    AGENCIES,
    CA_CODES,
    CA_DEPARTMENTS,
    CA_DUTIES,
    FIRST,
    HEAD,
    OFFENCES,
    PURPOSES,
    RECIPIENTS,
    STATES,
    TAIL,
    TOPICS,
)


@dataclass(frozen=True)
class Bill:
    """A bill in BillSum's columns, and retellings of it: the same facts in other words.

    `news` is a reporter's, `letter` a member's to a voter, `facts` a list of labels and values.
    Retellings are never part of a corpus; the miniature models read them in pretraining, so that
    they learn to carry facts from one text to another without having seen a summary.
    """

    title: str
    text: str
    summary: str
    news: str
    letter: str
    facts: dict[str, str]

    def record(self) -> dict[str, str]:
        """BillSum's columns."""
        return {"title": self.title, "text": self.text, "summary": self.summary}


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def surname(rng: Random) -> str:
    """A name of two syllables, one of some 1,400."""
    return rng.choice(HEAD) + rng.choice(TAIL)


def person(rng: Random) -> str:
    """First name and surname."""
    return f"{rng.choice(FIRST)} {surname(rng)}"


def dollars(rng: Random) -> str:
    """An amount, "$35,000" to "$980,000,000"."""
    leading = rng.randrange(2, 99) * (10 if rng.random() < 0.5 else 1)
    return f"${leading:,}{rng.choice([',000', ',000,000'])}"


def year(rng: Random) -> int:
    """1985 to 2024."""
    return rng.randrange(1985, 2025)


def short_title(rng: Random) -> tuple[str, str]:
    """A bill's short title and its topic in words."""
    name, topic = rng.choice(TOPICS)
    form = rng.randrange(3)
    if form == 0:
        return f"{surname(rng)} {name} Act", topic
    if form == 1:
        return f"{person(rng)} {name} Act", topic
    return f"{surname(rng)} {name} Act of {year(rng)}", topic


def finding(rng: Random) -> str:
    """One distracting sentence, with facts of its own."""
    return rng.choice(
        [
            lambda: f"in {year(rng)}, the county of {surname(rng)} spent {dollars(rng)} on this;",
            lambda: f"a report by {person(rng)} found many faults in {year(rng)};",
            lambda: f"{rng.choice(STATES)} has asked for aid since {year(rng)};",
            lambda: f"losses in {rng.choice(STATES)} rose to {dollars(rng)};",
            lambda: f"{surname(rng)} and {surname(rng)} have no such program;",
        ]
    )()


def _findings(rng: Random, count: int) -> str:
    lines = "\n".join(f"        ({i + 1}) {finding(rng)}" for i in range(count))
    return f"FINDINGS.\n\n    Congress finds that--\n{lines}"


class Matter(NamedTuple):
    """What a bill is about: its section of the text, its summary, and its retellings."""

    section: str
    digest: str
    news: str
    letter: str
    facts: dict[str, str]


def _grants(rng: Random) -> Matter:
    agency, amount, fiscal = rng.choice(AGENCIES), dollars(rng), year(rng)
    who, purpose = rng.choice(RECIPIENTS), rng.choice(PURPOSES)
    return Matter(
        f"GRANTS.\n\n    (a) {_sentence(agency)} may make grants to {who} for the {purpose}.\n"
        f"    (b) There are authorized to be appropriated {amount} for fiscal year {fiscal}.",
        f"Authorizes {agency} to make grants to {who} for the {purpose}. "
        f"Authorizes appropriations of {amount} for FY{fiscal}.",
        f"{_sentence(who)} could apply to {agency} for money toward the {purpose}. "
        f"The plan would cost {amount} in {fiscal}.",
        f"For {fiscal} we ask {amount}, and {who} may then turn to {agency} for help with the "
        f"{purpose}.",
        {"Agency": agency, "Grantees": who, "Purpose": purpose, "Sum": amount, "Year": f"{fiscal}"},
    )


def _study(rng: Random) -> Matter:
    agency, place, days = rng.choice(AGENCIES), surname(rng), rng.randrange(3, 40) * 10
    purpose, state = rng.choice(PURPOSES), rng.choice(STATES)
    return Matter(
        f"STUDY.\n\n    (a) {_sentence(agency)} shall conduct a study of the {purpose} in {place}, "
        f"{state}.\n"
        f"    (b) Not later than {days} days after the date of enactment of this Act, the results "
        "shall be submitted to Congress.",
        f"Directs {agency} to study the {purpose} in {place}, {state}, and to report to Congress "
        f"within {days} days.",
        f"Congress would learn within {days} days how the {purpose} goes in {place}, {state}, "
        f"from a study by {agency}.",
        f"You asked about the {purpose} in {place}, {state}. {_sentence(agency)} will look into "
        f"it, and we shall hear after {days} days.",
        {"Agency": agency, "Purpose": purpose, "Place": f"{place}, {state}", "Days": f"{days}"},
    )


def _penalty(rng: Random) -> Matter:
    offence, fine, months = rng.choice(OFFENCES), dollars(rng), rng.randrange(2, 60)
    return Matter(
        f"PENALTY.\n\n    (a) Any person found {offence} shall be fined not more than {fine}.\n"
        f"    (b) For a second offense the term of imprisonment is {months} months.",
        f"Sets a fine of up to {fine} for {offence}, and imprisonment of {months} months for a "
        "second offense.",
        f"People caught {offence} would pay up to {fine}, and go to jail for {months} months "
        "the second time.",
        f"Nobody should gain by {offence}. Who does it will owe {fine}, and who does it again will "
        f"spend {months} months in prison.",
        {"Offense": offence, "Fine": fine, "Months": f"{months}"},
    )


def _conveyance(rng: Random) -> Matter:
    agency, county, state = rng.choice(AGENCIES), surname(rng), rng.choice(STATES)
    acres, price = rng.randrange(12, 9900), dollars(rng)
    return Matter(
        f"CONVEYANCE.\n\n    (a) {_sentence(agency)} shall convey {acres:,} acres of land to "
        f"{county} County, {state}.\n    (b) The county shall pay {price} for the land.",
        f"Requires {agency} to convey {acres:,} acres to {county} County, {state}, for {price}.",
        f"{county} County in {state} would get {acres:,} acres from {agency} at a price of "
        f"{price}.",
        f"For {price}, {agency} will hand {acres:,} acres to {county} County in {state}.",
        {
            "Agency": agency,
            "Acres": f"{acres:,}",
            "County": f"{county} County, {state}",
            "Price": price,
        },
    )


def _naming(rng: Random) -> Matter:
    number, street, town = rng.randrange(10, 990), surname(rng), surname(rng)
    state, honoured = rng.choice(STATES), person(rng)
    return Matter(
        f"DESIGNATION.\n\n    The post office located at {number} {street} Street in {town}, "
        f"{state}, shall be known as the ``{honoured} Post Office''.",
        f"Designates the post office at {number} {street} Street in {town}, {state}, as the "
        f"{honoured} Post Office.",
        f"The post office of {town}, {state}, at {number} {street} Street, would be named after "
        f"{honoured}.",
        f"{honoured} deserves it: the mail of {town}, {state}, will come from the {honoured} Post "
        f"Office at {number} {street} Street.",
        {"Street": f"{number} {street} Street", "Town": f"{town}, {state}", "Name": honoured},
    )


def _extension(rng: Random) -> Matter:
    older, topic = short_title(rng)
    until, amount = year(rng), dollars(rng)
    return Matter(
        f"EXTENSION.\n\n    (a) Section {rng.randrange(2, 40)} of the {older} is amended by "
        f"striking ``{year(rng)}'' and inserting ``{until}''.\n"
        f"    (b) The limit on spending under such section is {amount}.",
        f"Amends the {older} to extend it through {until}. Limits spending to {amount}.",
        f"The law on {topic}, the {older}, would run until {until} and cost no more than {amount}.",
        f"The {older} helps with {topic}. It will stay until {until}, with {amount} to spend.",
        {"Law": older, "Until": f"{until}", "Limit": amount},
    )


US_KINDS: list[Callable[[Random], Matter]] = [
    _grants,
    _study,
    _penalty,
    _conveyance,
    _naming,
    _extension,
]


def us_bill(rng: Random, findings: tuple[int, int] = (1, 3)) -> Bill:
    """A bill of Congress. `findings`: how many distracting findings it has, from and to."""
    title, topic = short_title(rng)
    section, digest, story, letter, facts = rng.choice(US_KINDS)(rng)
    sponsor = person(rng)
    parts = [_findings(rng, rng.randint(*findings)), section]
    numbered = "\n\n".join(f"SEC. {i + 2}. {part}" for i, part in enumerate(parts))
    text = (
        f"SECTION 1. SHORT TITLE.\n\n    This Act may be cited as the ``{title}''.\n\n{numbered}\n"
    )
    news = rng.choice(
        [
            f"Washington. {sponsor} of {rng.choice(STATES)} has offered a bill on {topic}, the "
            f"{title}. {story}",
            f"The House took up the {title} today. {story} Its sponsor is {sponsor}.",
            f"A vote on the {title} is near. {story}",
        ]
    )
    return Bill(
        f"A bill to promote {topic}, and for other purposes.",
        text,
        f"{title} - {digest}",
        news,
        f"Thank you for writing about {topic}. {letter} The bill is the {title}.",
        {"Title": title} | facts,
    )


def _ca_program(rng: Random) -> tuple[Matter, str]:
    department, duty = rng.choice(CA_DEPARTMENTS), rng.choice(CA_DUTIES)
    amount, when, purpose = dollars(rng), year(rng), rng.choice(PURPOSES)
    matter = Matter(
        f"(a) {_sentence(department)} shall {duty}.\n(b) On or before January 1, {when}, the "
        f"department shall create a program for the {purpose}.\n"
        f"(c) The sum of {amount} is hereby appropriated from the General Fund.",
        f"Existing law requires {department} to {duty}. This bill would require the department, on "
        f"or before January 1, {when}, to create a program for the {purpose}, and would "
        f"appropriate {amount}.",
        f"{_sentence(department)} would start a program for the {purpose} by {when}, at {amount}.",
        f"With {amount} and by January 1, {when}, {department} will have a program for the "
        f"{purpose}, and still {duty}.",
        {"Agency": department, "Duty": duty, "Purpose": purpose, "Year": f"{when}", "Sum": amount},
    )
    return matter, department


def _ca_fee(rng: Random) -> tuple[Matter, str]:
    department, duty = rng.choice(CA_DEPARTMENTS), rng.choice(CA_DUTIES)
    fee, when = dollars(rng), year(rng)
    matter = Matter(
        f"(a) {_sentence(department)} shall {duty}, and may charge a fee for it.\n(b) The fee "
        f"shall not exceed {fee}.\n"
        f"(c) This section shall remain in effect only until January 1, {when}.",
        f"Existing law requires {department} to {duty}. This bill would limit the fee for it to "
        f"{fee} until January 1, {when}.",
        f"Until {when}, {department} could ask no more than {fee}.",
        f"{_sentence(department)} must {duty}. Its fee stays at {fee} or less until {when}.",
        {"Agency": department, "Duty": duty, "Fee": fee, "Until": f"{when}"},
    )
    return matter, department


def _ca_crime(rng: Random) -> tuple[Matter, str]:
    offence, fine, county = rng.choice(OFFENCES), dollars(rng), surname(rng)
    matter = Matter(
        f"(a) A person shall be guilty of a misdemeanor for {offence} in the County of {county}.\n"
        f"(b) It is punishable by a fine of {fine}.",
        f"Existing law makes it unlawful to harm public health. This bill would make {offence} in "
        f"the County of {county} a misdemeanor, punishable by a fine of {fine}.",
        f"In the County of {county}, {offence} would cost {fine}.",
        f"Take care in the County of {county}: {offence} is a misdemeanor there, and the fine is "
        f"{fine}.",
        {"Offense": offence, "County": county, "Fine": fine},
    )
    return matter, "crimes"


def california_bill(rng: Random, findings: tuple[int, int] = (1, 2)) -> Bill:
    """A bill of the State of California: other layout, other wording, other summaries."""
    matter, about = rng.choice([_ca_program, _ca_fee, _ca_crime])(rng)
    body, digest, story, letter, facts = matter
    code, number = rng.choice(CA_CODES), rng.randrange(100, 9900)
    declared = "\n".join(
        f"({'abcdefghijklmnopqrstuvwxyz'[i % 26]}) {_sentence(finding(rng).rstrip(';'))}."
        for i in range(rng.randint(*findings))
    )
    text = (
        "The people of the State of California do enact as follows:\n\n\nSECTION 1.\n"
        f"The Legislature finds and declares all of the following:\n{declared}\n\nSEC. 2.\n"
        f"Section {number} is added to the {code} Code, to read:\n{number}.\n{body}\n"
    )
    title = f"An act to add Section {number} to the {code} Code, relating to {about}."
    news = f"Sacramento. {person(rng)} has a bill on Section {number} of the {code} Code. {story}"
    section = f"Section {number} of the {code} Code"
    letter = f"Thank you for writing about {about}. {letter} See {section}."
    return Bill(title, text, digest, news, letter, {"Section": section} | facts)


STYLES: dict[str, Callable[..., Bill]] = {"us": us_bill, "california": california_bill}


def bills(style: str, count: int, seed: int) -> list[Bill]:
    """`count` bills of a style ("us" or "california"), the same for the same seed."""
    rng = Random(f"{style} {seed}")
    return [STYLES[style](rng) for _ in range(count)]
