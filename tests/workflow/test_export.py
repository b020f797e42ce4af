"""A row's folder for the Hub: stock libraries load it anywhere, and it writes as its row did."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sparsesum.base import files
from sparsesum.models import deployed
from tests.workflow.project import Project

ROWS = {
    "base": "tiny-pre/dense/base",
    "full": "tiny-post/wanda_50/full",
    "qlora": "tiny-pre/wanda_2of4/qlora",
    "sparse_qlora": "tiny-pre/wanda_2of4/sparse_qlora",
}
MADE = {
    "base": "dense/tiny-pre",
    "full": "full/bills/tiny-post/wanda_50",
    "qlora": "qlora/bills/tiny-pre/wanda_2of4/base",
    "sparse_qlora": "sparse_qlora/bills/tiny-pre/wanda_2of4",
}
ADAPTER = "qlora/bills/tiny-pre/wanda_2of4/adapter"
FILES = {
    *("README.md", "config.json", "generation_config.json", "model.safetensors"),
    *("provenance.json", "tokenizer.json", "tokenizer_config.json"),
}
ADAPTERS = {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"}

STOCK = """
import importlib.util, io, json, os
from contextlib import redirect_stdout
from pathlib import Path
import torch
from peft import AutoPeftModelForCausalLM

assert importlib.util.find_spec("sparsesum") is None
asked = json.loads(Path("asked.json").read_text())
found = {}
for row, (folder, texts) in asked.items():
    code = Path(folder, "README.md").read_text(encoding="utf-8")
    code = code.split("```python\\n")[1].split("```")[0]
    assert code.count('FOLDER = "."') == 1
    code = code.replace('FOLDER = "."', f"FOLDER = {folder!r}")
    Path("text.txt").write_text(texts[0], encoding="utf-8")
    card, printed = {}, io.StringIO()
    with redirect_stdout(printed):
        exec(code, card)
    said = [printed.getvalue().removesuffix("\\n"), *map(card["summarise"], texts[1:])]
    ids = card["tokenizer"](card["BEFORE"] + "An act." + card["AFTER"])["input_ids"]
    with torch.inference_mode():
        logits = card["model"](torch.tensor([ids])).logits[0, -1].tolist()
    found[row] = {"said": said, "ids": ids, "logits": logits}
adapter = Path(asked["qlora"][0], "adapter")
try:
    AutoPeftModelForCausalLM.from_pretrained(adapter)
except (OSError, ValueError) as error:
    found["elsewhere"] = str(error)
os.chdir(adapter.parent)
with torch.inference_mode():
    model = AutoPeftModelForCausalLM.from_pretrained("adapter")
    logits = model(torch.tensor([found["qlora"]["ids"]])).logits[0, -1]
found["auto"] = logits.tolist()
Path(__file__).with_name("found.json").write_text(json.dumps(found))
"""


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory) -> Project:
    """A copy of the finished project with an export of each kind of row, one of a row it lacks."""
    folder = tmp_path_factory.mktemp("exported") / "p"
    shutil.copytree(finished.folder, folder)
    project = Project.of(folder, finished.models)
    with (folder / "grid.tsv").open("a") as grid:
        grid.write("tiny-pre\tsparse_qlora\twanda\t2:4\n")
    done = project.snakemake(*(f"results/export/bills/{row}/README.md" for row in ROWS.values()))
    assert done.returncode == 0, done.stdout[-5000:]
    return project


@pytest.fixture(scope="module")
def found(exported, tmp_path_factory) -> dict:
    """What copies of the folders give in a process without this project, by their cards' code."""
    place = tmp_path_factory.mktemp("elsewhere")
    texts = [bill["text"] for bill in files.read_jsonl(corpus(exported, "test"))]
    asked = {}
    for row, path in ROWS.items():
        shutil.copytree(exported.folder / "results/export/bills" / path, place / "copies" / row)
        asked[row] = [str(place / "copies" / row), texts]
    (place / "asked.json").write_text(json.dumps(asked))
    (place / "stock.py").write_text(STOCK)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, str(place / "stock.py")],
        cwd=place,
        env=environment | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((place / "found.json").read_text())


def corpus(project: Project, split: str) -> Path:
    return project.folder / "results/corpus/bills" / f"{split}.jsonl"


@pytest.mark.parametrize("row", ROWS)
def test_the_cards_code_writes_what_the_row_wrote(exported, found, row):
    wrote = files.read_jsonl(exported.folder / f"results/generate/bills/{ROWS[row]}/test.jsonl")
    predictions = [each["prediction"] for each in wrote]
    assert len(set(predictions)) > 1  # of one alone the comparison would say little
    assert found[row]["said"] == predictions


@pytest.mark.parametrize("row", ROWS)
def test_the_logits_are_those_of_the_rows_engine(exported, found, row):
    results = exported.folder / "results"
    ids = torch.tensor([found[row]["ids"]])

    def logits(adapter: Path | None) -> torch.Tensor:
        model = deployed.load(results / MADE[row], adapter, "dense", torch.device("cpu"))
        with torch.inference_mode():
            return model(ids)[0, -1]

    own = logits(results / ADAPTER if row == "qlora" else None)
    stock = torch.tensor(found[row]["logits"])
    near = 1e-5 * own.abs().max()
    assert (stock - own).abs().max() < near
    if row == "qlora":  # and the adapter is in them
        assert (stock - logits(None)).abs().max() > 100 * near


def test_peft_finds_the_base_where_the_folder_is_the_current_directory_and_nowhere_else(found):
    assert "Unrecognized model in ." in found["elsewhere"]
    dense, int8 = torch.tensor(found["qlora"]["logits"]), torch.tensor(found["auto"])
    # int8 kernels round their inputs to 8 bits, too.
    assert 0 < (int8 - dense).abs().max() < 0.1 * dense.std()


@pytest.mark.parametrize("row", ROWS)
def test_a_folder_has_its_files_and_says_of_none_where_it_was_made(exported, row):
    folder = exported.folder / "results/export/bills" / ROWS[row]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == FILES | (ADAPTERS if row == "qlora" else set())
    places = [str(exported.folder), *map(str, exported.models.values())]
    for name in there - {"provenance.json"}:
        content = (folder / name).read_bytes()
        assert not any(place.encode() in content for place in places), name
    record = json.loads((folder / "provenance.json").read_text())
    card = (folder / "README.md").read_text()
    for path, digest in record["outputs"].items():
        name = Path(path).relative_to(f"results/export/bills/{ROWS[row]}").as_posix()
        assert files.sha256(folder / name) == digest
        assert name == "README.md" or digest in card, name


def test_the_card_has_the_tables_figures(exported):
    card = (exported.folder / "results/export/bills" / ROWS["qlora"] / "README.md").read_text()
    with (exported.folder / "results/table3.csv").open(newline="") as file:
        row = next(
            line
            for line in csv.DictReader(file)
            if (line["model"], line["finetuning"], line["pruner"]) == ("tiny-pre", "qlora", "wanda")
        )
    cells = [
        f"{float(row[f'{split}_rouge']):.3f} [{float(row[f'{split}_rouge_low']):.3f}, "
        f"{float(row[f'{split}_rouge_high']):.3f}]"
        for split in ("validation", "test")
    ]
    lines = [" ".join(line.split()) for line in card.splitlines()]
    assert f"| ROUGE-Lsum | {' | '.join(cells)} |" in lines
    assert f"| Nonzero parameters | {int(row['nonzero_parameters']):,} |" in lines
    assert "pruner wanda, pattern 2of4" in card and "A test's models: random weights." in card


def test_only_a_packed_rows_card_speaks_of_its_packed_file(exported):
    folder = exported.folder / "results/export/bills"
    packed = "results/sparse_qlora/bills/tiny-pre/wanda_2of4/model.safetensors"
    said = {row for row in ROWS if packed in (folder / ROWS[row] / "README.md").read_text()}
    assert said == {"sparse_qlora"}


def test_an_export_makes_what_its_row_lacks_and_nothing_else(finished):
    row = "bills/tiny-post/magnitude_50"
    made = finished.planned(f"results/export/{row}/qlora/README.md")
    for path in (f"prune/{row}", f"qlora/{row}/adapter", f"generate/{row}/qlora"):
        assert any(each.startswith(f"results/{path}/") for each in made), path
    assert {f"results/score/{row}/qlora.json", f"results/measure/{row}/qlora.json"} <= made
    assert not [path for path in made if row not in path]


def test_a_row_that_cannot_be_is_refused_as_for_any_target(finished):
    for path in ("nothing/dense/base", "tiny-pre/wnda_50/base", "tiny-pre/wanda_50/full_on_dense"):
        done = finished.snakemake(f"results/export/bills/{path}/README.md", "--dry-run")
        assert done.returncode != 0
        assert "MissingRuleException" in done.stdout, done.stdout[-2000:]
