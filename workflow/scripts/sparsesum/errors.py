"""What the user can mend."""


class InputError(Exception):
    """A fault in what was given: names the file, the row or key, what is allowed, what to do.

    Shown as one line, without a traceback: a traceback is for our own bugs.
    """
