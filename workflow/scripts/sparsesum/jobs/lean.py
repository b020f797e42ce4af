"""What jobs leave out to start and end sooner. No result depends on any of it.

Of a short job most of the time is imports, and most of these are what libraries look for in case
somebody needs it. `begin` comes before all other imports of a script, `loaded` after them, `leave`
at its end. Where another version of a library does not ask, a job starts as slowly as ever.
"""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from typing import Any, NoReturn

UNUSED = ("scipy", "sklearn", "trio")
"""Packages that transformers, nltk and the Hub's client import only if they are installed.

The jobs that need scipy (intervals, plots) import none of the PROBING.
"""

PROBING = ("transformers", "datasets", "huggingface_hub", "nltk")

SWITCHES = {
    # `datasets` looks for other frameworks than torch, and starts JAX where there is one.
    "USE_TORCH": "1",
    "USE_TF": "0",
    "USE_JAX": "0",
    # bitsandbytes hands functions of its 4-bit types, which no job has, to torch's compiler.
    "TORCHDYNAMO_DISABLE": "1",
}

ALLOCATIONS = 100_000
"""New objects between two collections while modules are imported: nearly all of them stay."""


class _Hider:
    """Makes the UNUSED packages look as if not installed, once one of the PROBING is imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Find nothing: who comes after it in sys.meta_path does."""
        if name in PROBING:
            for unused in UNUSED:
                sys.modules.setdefault(unused, None)  # type: ignore[arg-type]  # None: there is none


def begin() -> None:
    """Set up this process for imports that are quick; again does nothing."""
    if any(isinstance(finder, _Hider) for finder in sys.meta_path):
        return
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
    sys.meta_path.insert(0, _Hider())
    gc.set_threshold(ALLOCATIONS)


def loaded() -> None:
    """Collect garbage as usual from now on, which may hold tensors, but for what is there by now.

    A job that does not compute, and never says so, is too small to need it.
    """
    if gc.get_threshold()[0] == ALLOCATIONS:
        gc.freeze()
        gc.set_threshold(700, 10, 10)


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Make modules that a library imports only where they are look as if they were not there."""
    new = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(new))  # type: ignore[arg-type]  # None: there is none
    try:
        yield
    finally:
        for name in new:
            sys.modules.pop(name, None)


@contextmanager
def without_plots() -> Iterator[None]:
    """bert-score imports matplotlib for a plot that no job asks for; here it finds an empty one."""
    if "matplotlib" in sys.modules:
        yield
        return
    names = ("matplotlib", "matplotlib.pyplot", "mpl_toolkits", "mpl_toolkits.axes_grid1")
    empty: dict[str, Any] = {name: module_from_spec(ModuleSpec(name, None)) for name in names}
    empty["matplotlib"].pyplot = empty["matplotlib.pyplot"]
    empty["mpl_toolkits.axes_grid1"].make_axes_locatable = None
    sys.modules.update(empty)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def leave(code: int) -> NoReturn:
    """End the process as `sys.exit` would, without taking the interpreter apart: a second's work.

    What was registered with atexit runs: logs are closed, temporary folders removed.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # full, closed, or none
            stream.flush()
    os._exit(code)
