"""A text of one's own: its file is read, or refused in one line; the prompt is that of a corpus."""

import pytest

from sparsesum.base.errors import InputError
from sparsesum.corpus import own_text
from sparsesum.corpus.bills import bills
from sparsesum.corpus.prompt import PAPER, source_text
from sparsesum.corpus.tokens import tokenise


@pytest.fixture(scope="module")
def text() -> str:
    return next(iter(bills("us", 1, 5))).record()["text"]


def prompt(tokenizer, text: str, limit: int) -> list[int]:
    """The prompt that rule `tokens` makes of a record."""
    record = {"id": "1", "text": text, "summary": "A summary."}
    return tokenise(tokenizer, [record], limit, 10)["prompt_ids"][0]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, []),
        ("", []),
        ("a.txt", ["a.txt"]),
        ("b.txt, a.txt,b.txt", ["b.txt", "a.txt"]),
        (["a,b.txt", "c.txt"], ["a,b.txt", "c.txt"]),
    ],
)
def test_one_or_several_in_the_order_given_and_each_once(given, wanted):
    assert own_text.listed(given) == wanted


def test_outputs_are_called_by_the_files_name_without_folder_and_ending():
    given = ["./bills/hr.1234.txt", "../My_act", "x/y.tar.gz"]
    assert own_text.named(given) == {
        "hr.1234": "bills/hr.1234.txt",
        "My_act": "../My_act",
        "y.tar": "x/y.tar.gz",
    }


@pytest.mark.parametrize(
    "name", ["my bill.txt", ".txt", "-", "a{b}.txt", "{x}/a.txt", "a\n.txt", "Ä.txt", "a" * 101]
)
def test_a_name_that_no_path_of_snakemakes_can_have_is_refused(name):
    with pytest.raises(InputError, match=r"key 'bill': .*allowed: up to 100 letters"):
        own_text.named([name])


def test_two_files_of_one_name_are_refused_and_one_file_twice_is_not():
    with pytest.raises(InputError, match=r"a/act\.txt and b/act\.md have the same name"):
        own_text.named(["a/act.txt", "b/act.md"])
    assert own_text.named(["a/act.txt", "./a/act.txt"]) == {"act": "a/act.txt"}


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b"An act.\n", "An act.\n"),
        (b"\xef\xbb\xbfAn act.", "An act."),
        (b"  An\r\nact.\r\n\r\n", "  An\nact.\n\n"),
        ("§ 1. «é»\n".encode(), "§ 1. «é»\n"),
    ],
)
def test_a_text_is_read_as_a_corpus_has_it(tmp_path, raw, wanted):
    file = tmp_path / "act.txt"
    file.write_bytes(raw)
    assert own_text.read(file) == wanted


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "blank"),
        (b"\xef\xbb\xbf \r\n\t\n", "blank"),
        (b"An act.\xff\n", r"no text in UTF-8 \(its byte 7\)"),
        ("An act.".encode("utf-16"), "no text in UTF-8"),
        (b"PK\0\0", "binary"),
    ],
)
def test_what_is_no_text_is_refused_by_its_name(tmp_path, raw, said):
    file = tmp_path / "act.txt"
    file.write_bytes(raw)
    with pytest.raises(InputError, match=rf"^key 'bill': .*act\.txt: {said}"):
        own_text.read(file)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(InputError, match="no such file; allowed: a text file"):
            own_text.read(path)


@pytest.mark.parametrize("limit", [10, 60, 1000])
def test_the_prompt_is_that_of_a_record_of_a_corpus(tokenizer, text, limit):
    ids, share = own_text.asked(tokenizer, text, limit, 10_000)
    assert ids == prompt(tokenizer, text, limit)
    read = source_text(tokenizer.decode(ids, skip_special_tokens=False).removeprefix("</s>"))
    assert text.startswith(read) and share == pytest.approx(len(read) / len(text))
    assert (share == 1) == (limit == 1000)


def test_no_more_is_taken_than_the_models_positions_leave_room_for(tokenizer, text):
    whole, _ = own_text.asked(tokenizer, text, 1000, 10_000)
    room = len(whole) - 20
    ids, share = own_text.asked(tokenizer, text, 1000, room)
    assert room - 3 <= len(ids) <= room and 0.5 < share < 1
    # A text that fits to the token is not cut.
    assert own_text.asked(tokenizer, text, 1000, len(whole)) == (whole, 1)


def test_a_prompt_that_leaves_no_room_is_refused(tokenizer, text):
    empty = len(tokenizer.encode(PAPER.before + PAPER.after).ids)
    with pytest.raises(InputError, match="the prompt leaves no room for a text"):
        own_text.asked(tokenizer, text, 1000, empty - 5)
