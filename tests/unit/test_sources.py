"""What a script imports decides what a change reruns."""

from pathlib import Path

from sparsesum import sources


def names(*files):
    return {Path(path).relative_to(sources.SCRIPTS).as_posix() for path in sources.closure(*files)}


def test_direct_and_indirect_imports_are_found():
    found = names("prune.py")
    assert {"prune.py", "sparsesum/job.py", "sparsesum/layerwise.py"} <= found
    assert "sparsesum/sparsity.py" in found  # imported by layerwise
    assert "sparsesum/errors.py" in found  # imported by job


def test_a_pruner_is_declared_for_its_own_rows_alone():
    assert not any("pruners/" in name for name in names("prune.py"))
    found = names("prune.py", "sparsesum/pruners/wanda.py")
    assert {"sparsesum/pruners/wanda.py", "sparsesum/pruners/__init__.py"} <= found
    assert "sparsesum/pruners/sparsegpt.py" not in found


def test_what_a_stage_does_not_need_does_not_rerun_it():
    assert "sparsesum/bootstrap.py" not in names("examples.py")
    assert "sparsesum/qlora.py" not in names("generate.py")
    assert not names("full.py") & {"sparsesum/qlora.py", "sparsesum/generation.py"}
    assert not names("qlora.py") & {"sparsesum/full.py", "sparsesum/tables.py"}
    assert not names("table3.py") & {"sparsesum/figures.py", "sparsesum/checkpoints.py"}
    assert "sparsesum/quality.py" not in names("heat_map.py")


def test_every_script_names_modules_that_exist(tmp_path: Path):
    scripts = [path.name for path in sources.SCRIPTS.glob("*.py")]
    assert len(scripts) >= 14
    for script in scripts:
        assert all(Path(path).is_file() for path in sources.closure(script))


def test_import_forms(tmp_path: Path, monkeypatch):
    package = tmp_path / "sparsesum"
    package.mkdir()
    for name in ("__init__", "a", "b", "c", "unused"):
        (package / f"{name}.py").write_text("")
    (package / "b.py").write_text("def f():\n    import sparsesum.c\n")
    (tmp_path / "script.py").write_text("import os\nfrom sparsesum import a\nimport sparsesum.b\n")
    monkeypatch.setattr(sources, "SCRIPTS", tmp_path)
    assert names("script.py") == {
        "script.py",
        "sparsesum/__init__.py",
        "sparsesum/a.py",
        "sparsesum/b.py",
        "sparsesum/c.py",
    }


def test_which_pruners_need_a_calibration_set():
    needs = {
        name: sources.defines(f"sparsesum/pruners/{name}.py", "accumulate")
        for name in ("magnitude", "wanda", "sparsegpt")
    }
    assert needs == {"magnitude": False, "wanda": True, "sparsegpt": True}
