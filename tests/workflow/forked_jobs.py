"""Jobs without their imports: forks of a process that has torch and what it takes seconds to load.

That process has nothing of this project, for a copy's jobs import the copy's modules; `lean` alone
decides how libraries are imported. A job is run as Snakemake runs it, but for its python:
instead a small one, of this file, asks for a fork and ends as the fork does.
"""

import os
import socket
import sys

WORDS = 1 << 20
"""More bytes than an environment and a command have."""


def ask(place: str, script: str) -> int:
    """Have a script run by the process that listens at `place`; its exit code."""
    import json
    from pathlib import Path

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        said = json.dumps([script, str(Path.cwd()), dict(os.environ)]).encode()
        socket.send_fds(connection, [said + b"\n"], [0, 1, 2])
        return int(connection.recv(8) or 1)


class Given:
    """Finds libraries where they are loaded already, as late as a job asks for them."""

    def __init__(self, loaded: dict) -> None:
        self.loaded = loaded

    def find_spec(self, name: str, path=None, target=None):
        if name in self.loaded:
            spec = self.loaded[name].__spec__
            spec.loader = self
            return spec
        return None

    def create_module(self, spec):
        return self.loaded[spec.name]

    def exec_module(self, module) -> None:
        """Nothing: it has been."""


def preload() -> str:
    """Import what jobs import, and leave no trace of this project; returns its library's folder."""
    import gc
    import importlib
    from pathlib import Path

    from sparsesum.jobs import lean

    for name in "scipy.stats", "scipy.optimize":
        importlib.import_module(name)
    late = {"scipy": sys.modules.pop("scipy")}
    lean.begin()
    for name in """
        torch transformers transformers.models.opt.modeling_opt peft accelerate bert_score nltk
        transformers.models.bert.modeling_bert transformers.integrations.hub_kernels pandas datasets
        pyarrow.parquet safetensors.torch tokenizers matplotlib.pyplot
    """.split():
        importlib.import_module(name)
    # What `lean` has changed here is for each job's own `lean` to change.
    del sys.meta_path[0]
    gc.set_threshold(700, 10, 10)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sparsesum"]:
        del sys.modules[name]
    for name in lean.UNUSED:
        if sys.modules.get(name, name) is None:
            del sys.modules[name]
    late |= {name: sys.modules.pop(name) for name in lean.PROBING}
    sys.meta_path.insert(0, Given(late))
    gc.freeze()
    return str(Path(lean.__file__).parents[2])


def serve(place: str) -> None:
    """Answer each connection with the exit code of a script that a fork has run."""
    from contextlib import suppress

    listening = socket.socket(socket.AF_UNIX)
    listening.bind(place)
    listening.listen()
    library = preload()
    listening.settimeout(1)
    started = os.getppid()
    while os.getppid() == started:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            continue
        if os.fork():
            connection.close()
            continue
        connection.settimeout(None)
        said, fds, _, _ = socket.recv_fds(connection, WORDS, 3)
        while not said.endswith(b"\n"):
            said += connection.recv(WORDS)
        if child := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            connection.send(str(code if code >= 0 else 128 - code).encode())
            os._exit(0)
        run(said, fds, library)
        return


def run(said: bytes, fds: list[int], library: str) -> None:
    """Be the process of the script that `ask` named."""
    import json
    import random
    import runpy
    from pathlib import Path

    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    script, folder, environment = json.loads(said)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [str(Path(script).parent), *(path for path in sys.path[1:] if path != library)]
    sys.argv = [script]
    random.seed()
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(*sys.argv[1:]))
