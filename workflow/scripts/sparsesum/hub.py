"""Where a model or corpus comes from: a folder on this disk, or the Hugging Face Hub."""

from pathlib import Path

from sparsesum.errors import InputError


def is_hub(source: str) -> bool:
    """Whether a source is a Hub id ("owner/name") and no folder that is there."""
    return not Path(source).exists() and source.count("/") == 1 and source[0] not in "./~"


def fetch(source: str, revision: str | None, kind: str, files: list[str]) -> Path:
    """The folder with a source's files, fetched from the Hub where the source is a Hub id.

    `kind` is "model" or "dataset"; `files` are patterns of the files wanted. What was fetched
    before is taken from the Hub's cache, without a network.
    """
    folder = Path(source).expanduser()
    if not is_hub(source):
        if not folder.is_dir():
            raise InputError(f"source '{source}': no such folder, and no Hub id (owner/name)")
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = {"repo_id": source, "repo_type": kind, "revision": revision, "allow_patterns": files}
    try:
        return Path(snapshot_download(**wanted, local_files_only=True))
    except (LocalEntryNotFoundError, FileNotFoundError):
        pass
    try:
        return Path(snapshot_download(**wanted, etag_timeout=10))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"source '{source}' (revision {revision or 'main'}) cannot be had from the Hugging "
            f"Face Hub: {reason} Run this job once where the network is, or set `source:` in the "
            "config to a local folder with the same files."
        ) from None
