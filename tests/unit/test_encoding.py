"""Files are UTF-8, whatever the locale: of a bare container, of an old account, of cron."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A locale whose encoding is ASCII, which Python is kept from mending by itself."""

WORK = """
import json, locale, sys
assert locale.getpreferredencoding(False) != "UTF-8" or len(sys.argv) > 1
from pathlib import Path
from sparsesum.base import files
from sparsesum.experiment import settings
from sparsesum.jobs import job, sources
from sparsesum.pages import pages
sources.closure("table3.py", "browse.py", "table_pruning.py", "score.py")
pages.write("# A table\\n\\n0.40 ±0.01\\n", "t.md", "t.html")
config = json.loads(Path("config.json").read_text(encoding="utf-8"))
try:
    settings.validate(config, "schema.yaml", ["mine.yaml"])
except settings.InputError as error:
    files.write_json("said.json", {"said": str(error)})
print(files.read_csv("rows.csv")[0])
with job.job("a job", "job.log", "done"):
    job.log.info("Modèle")
"""


def made(folder: Path, environment: dict[str, str], *arguments: str) -> dict[str, bytes]:
    """Every file that a process of its own makes, and what it prints."""
    folder.mkdir()
    (folder / "mine.yaml").write_text('preset: "Modèle"\nnote: 3\n', "utf-8")
    (folder / "schema.yaml").write_text('{type: object, description: "…"}', "utf-8")
    (folder / "config.json").write_text(json.dumps({"preset": 1e99}))
    (folder / "rows.csv").write_text("model\nModèle\n", "utf-8")
    (folder / "work.py").write_text(WORK, "utf-8")
    path = str(ROOT / "workflow" / "scripts")
    done = subprocess.run(
        [sys.executable, "work.py", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"} | environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "job.log"}
    assert "Modèle".encode() in (folder / "job.log").read_bytes()
    return found | {"stdout": done.stdout}


def test_the_same_bytes_in_an_ascii_locale(tmp_path):
    expected = made(tmp_path / "utf8", {"PYTHONUTF8": "1"}, "utf8")
    assert "±".encode() in expected["t.md"] and "±".encode() in expected["t.html"]
    assert made(tmp_path / "bare", BARE) == expected


def in_the_locales_encoding(tree: ast.AST) -> list[int]:
    """The lines of calls that open a text file and name no encoding."""
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        text = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        named = any(keyword.arg == "encoding" for keyword in call.keywords) or "utf-8" in text
        binary = any(isinstance(word, str) and "b" in word for word in text)
        system = getattr(getattr(call.func, "value", None), "id", "") == "os"
        if name in ("open", "read_text", "write_text", "FileHandler"):
            found += [] if named or binary or system else [call.lineno]
    return found


@pytest.mark.parametrize("text", ["open('x')", "p.open('w', newline='')", "Path(x).read_text()"])
def test_what_is_looked_for_is_found(text):
    assert in_the_locales_encoding(ast.parse(text)) == [1]


def test_no_text_file_is_opened_in_the_locales_encoding():
    for file in sorted((ROOT / "workflow").rglob("*.py")):
        lines = in_the_locales_encoding(ast.parse(file.read_text("utf-8")))
        assert not lines, (file, lines)
    for file in sorted((ROOT / "workflow").rglob("*.smk")):
        for line in file.read_text("utf-8").splitlines():
            assert ".read_text()" not in line and ".open()" not in line, (file, line)
