"""Jobs start and end quickly, and do and say the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sparsesum.jobs import sources
from sparsesum.jobs.lean import PROBING
from sparsesum.scoring.encoder import minilm_folder

SCRIPT = """
import atexit, sys
from types import SimpleNamespace
from runner import job
from sparsesum.jobs.job import log

class Named(dict):
    get = dict.get
    def __iter__(self): return iter(self.values())

snakemake = SimpleNamespace(
    rule="try", output=Named(out={out!r}, provenance={record!r}), wildcards=Named(model="m"),
    params=Named(), input=Named(), log=[{log!r}],
)
atexit.register(lambda: print("at exit", end=""))

def main():
    open({out!r}, "w").write("done")
    print("said", end=" ")  # to a pipe, which Python writes to when it ends
    {fault}

if __name__ == "__main__":
    with job(snakemake):
        main()
    print("not reached")
"""


def run(tmp_path: Path, fault: str) -> subprocess.CompletedProcess:
    paths = {name: str(tmp_path / name) for name in ("out", "log")}
    record = str(tmp_path / "out.provenance.json")
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(**paths, record=record, fault=fault)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_job_ends_with_its_log_record_and_streams_complete(tmp_path):
    done = run(tmp_path, "pass")
    assert done.returncode == 0 and done.stdout == "said at exit"
    log = (tmp_path / "log").read_text()
    assert log == done.stderr and log.startswith("try m: ") and log.endswith(" s\n")
    assert '"outputs"' in (tmp_path / "out.provenance.json").read_text()


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("from sparsesum.base.errors import InputError; raise InputError('no')", 1, "error: no\n"),
        ("raise KeyError('x')", 1, "KeyError: 'x'\n"),
        ("import os; os.kill(os.getpid(), 2)", 130, "to resume\n"),
    ],
)
def test_a_fault_keeps_its_exit_code_and_last_line(tmp_path, fault, code, said):
    done = run(tmp_path, fault)
    assert done.returncode == code and done.stdout == "said at exit"
    assert done.stderr.endswith(said) and (tmp_path / "log").read_text() == done.stderr
    assert not (tmp_path / "out.provenance.json").exists()


def test_a_thread_that_goes_on_does_not_hold_a_job(tmp_path):
    fault = "import threading, time; threading.Thread(target=time.sleep, args=[600]).start()"
    assert run(tmp_path, fault).returncode == 0


def imported(code: str) -> set[str]:
    """The modules that a process has after some code, as a script runs it."""
    code = f"import runner, sys\n{code}\nprint(*(k for k, v in sys.modules.items() if v))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.long("a process that imports all that scoring uses")
def test_scoring_imports_what_it_uses():
    found = imported(
        "from sparsesum.scoring.similarity import score\n"
        "record = {'id': 'a', 'prediction': 'a tax', 'reference': 'a tax', 'cut_off': False}\n"
        f"found = score([record], {str(minilm_folder())!r}, 6, 1)\n"
        "assert round(found[0]['bertscore'], 5) == found[0]['rouge1'] == 1"
    )
    assert {"evaluate", "bert_score", "rouge_score", "transformers"} <= found
    assert not found & {"scipy", "sklearn", "trio", "matplotlib", "jax", "tensorflow"}


@pytest.mark.long("a process that imports all that training uses")
def test_training_imports_no_compiler():
    found = imported("import sparsesum.finetuning.methods.qlora")
    assert {"peft", "bitsandbytes"} <= found
    assert not found & {"scipy", "sklearn", "trio", "torch._inductor.compile_fx"}


def test_a_model_is_loaded_without_the_compiler():
    """Random numbers on the meta device would import it: more than all else that a load takes."""
    found = imported(
        "from pathlib import Path\nimport torch\nfrom sparsesum.models import deployed\n"
        "folder = Path('resources/models/opt-350m-mini')\n"
        "deployed.load(folder, None, 'dense', torch.device('cpu'), torch.float32)"
    )
    assert "sparsesum.models.opt" in found and "torch._dynamo" not in found


def test_a_module_looks_absent_for_a_while():
    found = imported(
        "from sparsesum.jobs import lean\n"
        "with lean.without('json.tool', 'sys'):\n"
        "    import sys\n"
        "    try: import json.tool\n"
        "    except ImportError: sys.was_absent = True\n"
        "assert sys.was_absent\n"
        "import json.tool"
    )
    assert "json.tool" in found


def test_what_is_left_out_is_there_for_jobs_that_use_it():
    found = imported("import sparsesum.pages.figures; from scipy.stats import bootstrap")
    assert {"scipy.optimize", "matplotlib.pyplot"} <= found


def test_no_script_needs_scipy_and_what_it_is_hidden_from():
    """They would find no scipy. Read off the modules that each script leads to."""
    probing = re.compile(rf"^ *(?:from|import) (?:{'|'.join(PROBING)})\b", re.M)
    methods = [f"sparsesum/finetuning/methods/{name}.py" for name in ("full", "qlora")]
    scripts = {path.name: [path.name] for path in sources.SCRIPTS.glob("*.py")}
    scripts["finetune.py"] += methods
    needing = {"scipy": set(), "others": set()}
    for script, files in scripts.items():
        closure = sources.closure(*files)
        text = "\n".join((sources.SCRIPTS / path).read_text() for path in closure)
        if re.search(r"^ *(?:from|import) (?:scipy|sklearn)\b", text, re.M):
            needing["scipy"].add(script)
        if probing.search(text):
            needing["others"].add(script)
    assert {"score.py", "quality_size.py"} <= needing["scipy"]
    assert "finetune.py" in needing["others"]
    assert not needing["scipy"] & needing["others"]


def test_garbage_is_collected_as_usual_once_a_job_computes():
    code = """
import gc, runner
assert gc.get_threshold()[0] > 700
from sparsesum.machine import device
device.prepare("cpu", 1)
assert gc.get_threshold() == (700, 10, 10) and gc.isenabled()
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))
