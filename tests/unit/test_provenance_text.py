"""The page of what made the results, from known records."""

from sparsesum.pages import provenance_text

FOUND = {
    "results": {"results/table3.csv": "ab" * 32},
    "git": [{"commit": "c1", "clean": True}, {"commit": "c2", "clean": False}],
    "machine": [{"host": "h", "system": "Linux", "python": "3.11.7"}],
    "device": ["Some CPU, 2 threads"],
    "versions": [{"torch": "2.13.0", "numpy": "2.4.6"}],
    "jobs": {"a": {"rule": "prune"}, "b": {"rule": "prune"}, "c": {"rule": "table3"}},
}


def test_what_a_reader_asks_for_is_there():
    text = provenance_text.markdown(FOUND, "tiny", "A note.")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "# What made the results, preset tiny" and "A note." in lines
    assert "- c1" in lines and "- c2, with changes that are in no commit" in lines
    assert "- Linux, Python 3.11.7 (h)" in lines and "- Some CPU, 2 threads" in lines
    assert "| prune | 2 |" in lines and "| torch | 2.13.0 |" in lines
    assert f"| results/table3.csv | {'ab' * 32} |" in lines
    assert "| table3 | 1 |" in lines and "All 3 records" in text
    assert "run with 2 states of the code" in text and "2 machines" not in text


def test_all_versions_stand_there_and_that_they_differ():
    text = provenance_text.markdown(FOUND | {"versions": [{"a": "1"}, {"a": "2"}]}, "tiny", "")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "| a | 1 |" in lines and "| a | 2 |" in lines
    assert "run with 2 sets of versions" in text


def test_results_of_one_state_say_nothing_of_others():
    text = provenance_text.markdown(FOUND | {"git": []}, "tiny", "A note.")
    assert "states of the code" not in text and "not in a Git repository" in text
