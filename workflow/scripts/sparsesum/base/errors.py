"""What the user can mend."""

LONGEST = 1000


class InputError(Exception):
    """A fault in what was given: names the file, the row or key, what is allowed, what to do.

    Shown as one line, without a traceback: a traceback is for our own bugs. What it quotes may be
    anything: line breaks and other characters that are not printed are escaped, and of a very long
    message the middle is left out.
    """

    def __init__(self, message: str) -> None:
        if len(message) > LONGEST:
            message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in message))
