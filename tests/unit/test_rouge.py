"""ROUGE: values counted by hand, and agreement with rouge-score as `evaluate` uses it."""

import random

import pytest
from rouge_score.rouge_scorer import RougeScorer

from sparsesum.scoring.similarity import modules

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


def rouge(prediction: str, reference: str) -> dict[str, float]:
    columns = modules()[0].compute(predictions=[prediction], references=[reference])
    return {name: column[0] for name, column in columns.items()}


def f(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall)


def test_counted_by_hand():
    # Prediction: 4 words, 3 bigrams. Reference: 5 words, 4 bigrams.
    # Common words: police, killed, the, gunman. Common bigrams: "the gunman" alone.
    # Longest common subsequence: "the gunman", with nothing before it in both: "police killed"
    # stands behind in the reference.
    found = rouge("police killed the gunman", "the gunman police then killed")
    assert found["rouge1"] == pytest.approx(f(4 / 4, 4 / 5))
    assert found["rouge2"] == pytest.approx(f(1 / 3, 1 / 4))
    assert found["rougeL"] == pytest.approx(f(2 / 4, 2 / 5))


def test_repeated_words_count_as_often_as_both_have_them():
    # "the" stands 4 times in the prediction, twice in the reference: 2 hits.
    assert rouge("the the the the", "the cat the dog")["rouge1"] == pytest.approx(f(2 / 4, 2 / 4))


def test_words_are_stemmed():
    # Porter: running -> run, dogs -> dog; words of up to 3 letters stay as they are.
    assert rouge("running dogs", "run dog") == dict.fromkeys(TYPES, 1.0)


def test_case_and_punctuation_do_not_count():
    assert rouge("A BILL, to amend!", "a bill to amend") == dict.fromkeys(TYPES, 1.0)


def test_lsum_joins_what_lines_have_in_common():
    # Lin 2004, section 3.2: the reference is w1..w5. Line 1 shares w1 w2 with it, line 2 shares
    # w1 w3 w5; together w1 w2 w3 w5. So recall is 4/5, precision 4/10.
    found = rouge("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5")
    assert found["rougeLsum"] == pytest.approx(f(4 / 10, 4 / 5))
    # As one line: w1 w2 w3 w5 is the longest common subsequence too, hence this pair:
    found = rouge("w3 w4\nw1 w2", "w1 w2\nw3 w4")
    assert found["rougeL"] == pytest.approx(0.5)
    assert found["rougeLsum"] == pytest.approx(1.0)


def test_lines_are_not_split_into_sentences():
    # Sentences in swapped order: as sentences all 4 words match, in one line 2 do.
    assert rouge("w3 w4. w1 w2.", "w1 w2. w3 w4.")["rougeLsum"] == pytest.approx(0.5)


@pytest.mark.parametrize("blank", ["", " ", "\n\t\n", "\u3000"])
def test_blank_scores_0(blank: str):
    zeros = dict.fromkeys(TYPES, 0.0)
    assert rouge(blank, "a bill") == zeros
    assert rouge("a bill", blank) == zeros
    assert rouge(blank, blank) == zeros


def test_each_example_as_rouge_score_gives_it():
    draw = random.Random(3)
    words = [
        "the",
        "act",
        "acts",
        "amended",
        "amending",
        "of",
        "grants",
        "granted",
        "to",
        "States",
        "state",
        "1996",
    ]

    def text() -> str:
        lines = [" ".join(draw.choices(words, k=draw.randint(1, 9))) for _ in range(3)]
        return draw.choice([". ", "\n"]).join(lines)

    pairs = [(text(), text()) for _ in range(60)]
    found = modules()[0].compute(
        predictions=[prediction for prediction, _ in pairs],
        references=[reference for _, reference in pairs],
    )
    scorer = RougeScorer(TYPES, use_stemmer=True)
    expected = [scorer.score(reference, prediction) for prediction, reference in pairs]
    assert found == {name: [score[name].fmeasure for score in expected] for name in TYPES}
    assert len(set(found["rougeLsum"])) > 20
