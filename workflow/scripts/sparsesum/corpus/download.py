"""What is needed of a source on the Hugging Face Hub: chosen, fetched to its cache, and checked."""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import tqdm

from sparsesum.base.errors import InputError
from sparsesum.base.files import sha256
from sparsesum.corpus.splits import choose as files_of_split
from sparsesum.jobs.job import FULL, Progress

log = logging.getLogger(__name__)

SAFETENSORS = ["model.safetensors", "model-*.safetensors"]
PICKLES = ["pytorch_model.bin", "pytorch_model-*.bin"]
"""Read by torch with weights_only, and only where there are no safetensors."""

MODULE = "0_*/"
"""Where sentence-transformers may have an encoder, in its own folder beside modules.json."""

PLAIN = re.compile(r"\w[\w .+@=-]*(/\w[\w .+@=-]*)*")
"""Names of files in a repository, which whoever made it chose."""

COMMIT = re.compile(r"[0-9a-f]{40}")

CONNECT_SECONDS = 10


def choose(
    kind: str,
    there: Iterable[str],
    splits: Iterable[str] = (),
    file: str | None = None,
    configuration: str | None = None,
) -> list[str]:
    """Of the files `there` is in a repository, those that a source of this kind needs.

    A "corpus" needs the files of its `splits` (in the `configuration`'s folder), a "text" its one
    `file`; a "model" and an "encoder" need configuration, tokenizer and weights in one format.
    Raises InputError if something is missing.
    """
    # What else is called in a way that can be no file below the cache, is not asked for.
    there = sorted(name for name in there if PLAIN.fullmatch(name) and ".." not in name)
    if kind == "text":
        needed, chosen = {"text": [file]}, []  # type: dict[str, list[Any]], list[str]
    elif kind == "corpus":
        needed = {}
        chosen = [name for split in splits for name in files_of_split(there, split, configuration)]
    else:
        texts, more = ["*.json", "*.txt"], PICKLES
        if kind == "encoder":
            texts += [MODULE + pattern for pattern in texts]
            more = [MODULE + pattern for pattern in SAFETENSORS]
        needed = {"weights": SAFETENSORS + more}
        chosen = [name for pattern in texts for name in _matching(pattern, there)]
    for what, patterns in needed.items():
        found = next(filter(None, (_matching(pattern, there) for pattern in patterns)), None)
        if found is None:
            raise InputError(
                f"no {what} in the repository; allowed is {', '.join(patterns)}; there is "
                + (", ".join(there[:8]) or "nothing")
            )
        chosen += found
    return sorted(set(chosen))


def _matching(pattern: str, names: list[str]) -> list[str]:
    """The names that match, with no more folders than the pattern has."""
    return [
        name
        for name in names
        if fnmatchcase(name, pattern) and name.count("/") == pattern.count("/")
    ]


def fetch(
    kind: str,
    source: str,
    revision: str | None,
    keys: list[str],
    splits: Iterable[str] = (),
    file: str | None = None,
    configuration: str | None = None,
) -> dict[str, Any]:
    """Fetch what is needed of a source into the Hub's cache, check it, and return its manifest.

    `kind` is "model", "corpus", "encoder" or "text"; `keys` are the config's keys of source and
    revision, which an InputError names. Files that an earlier run completed are not fetched again.
    """
    repository = {
        "repo_id": source,
        "repo_type": "dataset" if kind in ("corpus", "text") else "model",
    }  # type: dict[str, Any]
    api = HfApi()
    with _naming(repository, revision, keys):
        info = api.repo_info(
            **repository, revision=revision, files_metadata=True, timeout=CONNECT_SECONDS
        )  # type: Any
        if not COMMIT.fullmatch(info.sha or ""):  # a folder of the cache is called so
            raise InputError(f"key {keys[1]}: {constants.ENDPOINT} calls no commit '{info.sha}'")
        sizes = {file.rfilename: file.size or 0 for file in info.siblings}
        try:
            names = choose(kind, sizes, splits, file, configuration)
        except InputError as error:
            raise InputError(f"key {keys[0]}: '{source}' at {info.sha}: {error}") from None
        total = sum(sizes[name] for name in names) / 1e6
        log.info("%s at %s: %d files, %.1f MB", source, info.sha, len(names), total)
        folder = Path(
            snapshot_download(
                **repository, revision=info.sha, allow_patterns=names, tqdm_class=_Lines
            )
        )
        log.info("checking %d files in %s", len(names), folder)
        _check(api.verify_repo_checksums(**repository, revision=info.sha), names)
    return {
        "kind": kind,
        "source": source,
        "revision": revision,
        "commit": info.sha,
        "folder": str(folder),
        "files": {name: _described(folder / name) for name in names},
    }


def _described(file: Path) -> dict[str, int | str]:
    return {"bytes": file.stat().st_size, "sha256": sha256(file)}


def _check(verification: Any, names: list[str]) -> None:
    """Raise InputError for a wanted file that is not there, or not as the Hub has it."""
    if missing := sorted({*verification.missing_paths} & {*names}):
        raise InputError(f"{verification.verified_path / missing[0]}: not fetched; try again")
    for fault in verification.mismatches:
        if fault["path"] in names:
            file = verification.verified_path / fault["path"]
            raise InputError(
                f"{file}: its {fault['algorithm']} is {fault['actual']}, must be "
                # The cache links to the file proper; without the link alone it would be reused.
                f"{fault['expected']}; remove {file.resolve()} and run `download` again"
            )


@contextmanager
def _naming(repository: dict[str, Any], revision: str | None, keys: list[str]) -> Iterator[None]:
    """Turn what can go wrong between here and the Hub into an InputError of one line."""
    source, kind = repository["repo_id"], repository["repo_type"]
    page = f"{constants.ENDPOINT}/{'datasets/' if kind == 'dataset' else ''}{source}"
    what = f"key {keys[0]}: '{source}'"
    folder = f"set {keys[0]} to a local folder with the same files"
    try:
        yield
    except HFValidationError:
        raise InputError(f"{what}: no such folder, and no Hub id (owner/name)") from None
    except OfflineModeIsEnabled:
        raise InputError(
            f"{what} is on the Hub, which HF_HUB_OFFLINE switches off: unset it, or {folder}"
        ) from None
    except RevisionNotFoundError:
        raise InputError(
            f"key {keys[1]}: '{source}' has no revision '{revision or 'main'}', or not any more; "
            f"choose another of {page}/commits/main"
        ) from None
    except HfHubHTTPError as error:
        raise InputError(f"{what}: {_refusal(page, error)}, or {folder}") from None
    except (httpx2.HTTPError, OSError) as error:
        if getattr(error, "errno", None) in FULL:
            raise InputError(
                f"{what}: no space left for it in {constants.HF_HUB_CACHE}; make room there, or "
                "set HF_HOME to a folder on another disk, and run `download` again"
            ) from None
        raise InputError(
            f"{what} cannot be had from {constants.ENDPOINT}: {_reason(error)}; run `download` "
            f"again on a machine with a network (complete files are kept), or {folder}"
        ) from None


def _refusal(page: str, error: HfHubHTTPError) -> str:
    """What the Hub's answer means, and what to do."""
    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return (
            f"gated (HTTP {status}); ask for access at {page}, log in with `hf auth login` and "
            "run `download` again"
        )
    if isinstance(error, RepositoryNotFoundError) or status in (401, 403, 404):
        return (
            f"no such folder here, and no repository {page} that you may read (HTTP {status}); "
            "correct it, log in with `hf auth login` if it is private"
        )
    return f"{constants.ENDPOINT} answers HTTP {status}; run `download` again later"


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


class _Lines(tqdm):
    """huggingface_hub's progress bars as lines of the log, one every few seconds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Of the bars that it opens, this one counts the bytes that arrived on the disk.
        self.speaks = kwargs.get("name") == "huggingface_hub.snapshot_download"
        self.progress = Progress("fetching", 0, "MB")
        super().__init__(*args, **{**kwargs, "disable": True})

    def update(self, n: float | None = 1) -> None:
        """Count, although switched off as a bar."""
        self.n += n or 0
        if self.speaks:
            self.progress.total = round((self.total or 0) / 1e6)
            self.progress(round(self.n / 1e6))
