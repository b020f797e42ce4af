"""Nothing is unpickled, and no code is run but the project's own and that of its packages."""

import ast
import json
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest
import torch

from sparsesum.base.errors import InputError
from sparsesum.models import checkpoints
from sparsesum.scoring import encoder, similarity

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "workflow").rglob("*.py"), *(ROOT / "workflow").rglob("*.smk")])
SOURCES += [ROOT / "Snakefile"]
CALLS = """
eval exec compile __import__ os.system os.popen os.execv yaml.load yaml.unsafe_load yaml.full_load
pandas.read_pickle marshal.loads marshal.load shelve.open torch.hub.load runpy.run_path
pickle.load pickle.loads pickle.Unpickler
""".split()
MODULES = {"joblib", "dill", "cloudpickle", "shelve", "marshal", "runpy", "pty"}


def dangers(source: str) -> list[str]:
    """What in a module unpickles, or runs code that others wrote."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            found += [name for name in modules if name.split(".")[0] in MODULES]
            if modules == ["pickle"] and isinstance(node, ast.ImportFrom):
                found += [f"pickle.{name}" for name in names if name != "UnpicklingError"]
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if (
            called in CALLS
            or (called == "torch.load" and given.get("weights_only") != "True")
            or given.get("shell", "False") != "False"
            or given.get("allow_pickle", "False") != "False"
            or given.get("trust_remote_code", "False") != "False"
            or ("Auto" in called and called.endswith("from_pretrained")
                and given.get("trust_remote_code") != "False")
        ):  # fmt: skip
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(f)",
        "from pickle import loads",
        "import torch\ntorch.load('x')",
        "torch.load('x', weights_only=False)",
        "import joblib",
        "eval('1')",
        "yaml.load(f)",
        "yaml.load(f, Loader=yaml.Loader)",
        "subprocess.run('ls', shell=True)",
        "numpy.load('x', allow_pickle=True)",
        "AutoModel.from_pretrained('x')",
        "transformers.AutoTokenizer.from_pretrained('x', trust_remote_code=True)",
        "OPTForCausalLM.from_pretrained('x', trust_remote_code=given)",
    ],
)
def test_what_is_looked_for_is_found(source):
    assert dangers(source)


def python(path: Path) -> str:
    """A module as it is, or the Python in a file of rules: its functions, and its other lines."""
    text = path.read_text()
    if path.suffix == ".py":
        return text
    blocks, inside = [], False
    for line in text.splitlines():
        if line and not line[0].isspace():
            inside = line.startswith(("def ", "import ", "from "))
        if inside:
            blocks.append(line)
    return "\n".join(blocks)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_unpickles_or_runs_what_others_wrote(path):
    assert dangers(python(path)) == []
    if path.suffix != ".py":
        # Rules' own lines are no Python; none runs a shell, a notebook or fetched code.
        with path.open("rb") as file:
            words = {token.string for token in tokenize.tokenize(file.readline)}
        assert not words & {"shell", "notebook", "wrapper", "cwl", "eval", "exec", "pickle"}


EVIL = "from pathlib import Path\nPath({harm!r}).touch()\nraise SystemExit('it ran')\n"
REMOTE = {
    "AutoConfig": "evil.Config",
    "AutoModel": "evil.Model",
    "AutoModelForCausalLM": "evil.Model",
    "AutoTokenizer": ["evil.Tokenizer", "evil.Tokenizer"],
}


def poison(folder: Path, harm: Path) -> None:
    """Code of its own for everything in a folder as the Hub has it."""
    for name in ("evil.py", "modeling_opt.py", "configuration_opt.py", "tokenization.py"):
        (folder / name).write_text(EVIL.format(harm=str(harm)))
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        file = folder / name
        settings = json.loads(file.read_text()) if file.is_file() else {}
        settings |= {"auto_map": REMOTE, "custom_generate": "evil"}
        file.write_text(json.dumps(settings))


def test_a_models_own_code_is_not_run(opt_folders, tmp_path):
    folder, harm = tmp_path / "m", tmp_path / "harm"
    shutil.copytree(opt_folders["pre"], folder)
    poison(folder, harm)
    ids = torch.arange(4, 24)[None]
    found = checkpoints.load(folder)
    assert type(found).__module__.startswith("transformers.")
    assert torch.equal(found(ids).logits, checkpoints.load(opt_folders["pre"])(ids).logits)
    assert not harm.exists()
    with pytest.raises(SystemExit):
        exec((folder / "evil.py").read_text())
    assert harm.exists()  # it would have run


@pytest.mark.long("a process that imports transformers' tokenizers")
def test_a_tokenizers_own_code_is_not_run(opt_folders, tmp_path):
    """Without a tokenizer.json transformers looks for a class; it must not ask to run the code."""
    folder, harm = tmp_path / "m", tmp_path / "harm"
    shutil.copytree(opt_folders["pre"], folder)
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(vocabulary["vocab"]))
    merges = "\n".join(" ".join(pair) for pair in vocabulary["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "Evil"}')
    poison(folder, harm)
    program = (
        "import sys; from sparsesum.models import checkpoints\n"
        "print(checkpoints.load_tokenizer(sys.argv[1]).encode('A bill').ids)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        input="y\n" * 20,  # a question would be answered
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not harm.exists(), done.stderr
    assert "Do you wish to run" not in done.stdout + done.stderr


def test_an_encoders_own_code_is_not_run(tmp_path):
    folder, harm = tmp_path / "encoder", tmp_path / "harm"
    shutil.copytree(encoder.minilm_folder(), folder)
    record = {"id": "1", "prediction": "A bill.", "reference": "A bill.", "cut_off": False}
    sound = similarity.score([record], folder, 6, 1)
    poison(folder, harm)
    assert similarity.score([record], folder, 6, 1) == sound
    assert not harm.exists()


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_an_encoders_pickle_is_not_opened(tmp_path):
    folder, harm = tmp_path / "encoder", tmp_path / "harm"
    shutil.copytree(encoder.minilm_folder(), folder)
    (folder / "model.safetensors").unlink()
    torch.save({"x": Malicious(harm)}, folder / "pytorch_model.bin")
    record = {"id": "1", "prediction": "A bill.", "reference": "A bill.", "cut_off": False}
    with pytest.raises((OSError, InputError)):
        similarity.score([record], folder, 6, 1)
    assert not harm.exists()
