"""As much of the Hugging Face Hub as huggingface_hub asks for, on localhost, with faults."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".bin", ".parquet", ".h5", ".msgpack")
"""What the Hub keeps in Git LFS, under its SHA-256."""


def blob_id(content: bytes) -> str:
    """The name that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class Repository:
    """A repository at one commit."""

    files: dict[str, bytes]
    commit: str
    refused: tuple[int, str] | None = None
    """HTTP status and error code of each answer, if it lets nobody in."""


@dataclass
class Hub:
    """Repositories by "models/ID" or "datasets/ID"; what was asked; which faults to make."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    breaks: dict[str, int] = field(default_factory=dict)
    """Bytes of a file after which the connection breaks, once for each fault entered."""
    forever: bool = False
    """Whether it breaks each time."""
    stalls: dict[str, threading.Event] = field(default_factory=dict)
    """Set when half of the file was sent; the other half never comes."""
    wrong: set[str] = field(default_factory=set)
    """Files that arrive with one bit flipped."""
    url: str = ""

    def add(self, kind: str, name: str, files: dict[str, bytes], commit: str = "c" * 40) -> None:
        """Put a repository on the Hub; `kind` is "models" or "datasets"."""
        self.repositories[f"{kind}/{name}"] = Repository(files, commit)

    def gets(self) -> list[str]:
        """The files whose content was asked for, in alphabetical order."""
        paths = [line.split()[1] for line in self.asked if line.startswith("GET ")]
        return sorted(path.split("/resolve/")[1][41:] for path in paths if "/resolve/" in path)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The Hub on a free port of localhost; `hub.url` says where, for HF_ENDPOINT."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *args) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        where = self.headers.get("Range")
        self.hub.asked.append(f"{self.command} {path}" + (f" {where}" if where else ""))
        parts = path.strip("/").split("/")
        if parts[0] == "api" and len(parts) < 4:
            self.refuse(404, "")
        elif parts[0] == "api":
            what, revision = parts[4:] or ("revision", "main")
            self.api("/".join(parts[1:4]), what, revision)
        else:
            if parts[0] == "cdn":
                parts = parts[1:]
            if parts[0] != "datasets":
                parts = ["models", *parts]
            kind, owner, name, _, revision, *file = parts
            self.file(path, f"{kind}/{owner}/{name}", revision, "/".join(file))

    def found(self, repository: str, revision: str) -> Repository | None:
        """The repository at this revision; the answer is given where there is none."""
        found = self.hub.repositories.get(repository)
        if found is None:
            return self.refuse(404, "RepoNotFound")
        if found.refused:
            return self.refuse(*found.refused)
        if revision not in (found.commit, "main"):
            return self.refuse(404, "RevisionNotFound")
        return found

    def refuse(self, status: int, code: str) -> None:
        self.send(status, b"", {"X-Error-Code": code, "X-Error-Message": "no"})

    def api(self, name: str, what: str, revision: str) -> None:
        if not (repository := self.found(name, revision)):
            return
        entries = [
            {"path": path, "type": "file", "size": len(content), "oid": blob_id(content)}
            | (
                {
                    "lfs": {
                        "oid": hashlib.sha256(content).hexdigest(),
                        "size": len(content),
                        "pointerSize": 130,
                    }
                }
                if path.endswith(LARGE)
                else {}
            )
            for path, content in repository.files.items()
        ]
        answer: object = entries
        if what == "revision":
            siblings = [{"rfilename": entry["path"], "size": entry["size"]} for entry in entries]
            answer = {"id": name, "sha": repository.commit, "siblings": siblings}
        self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def file(self, path: str, name: str, revision: str, file: str) -> None:
        if not (repository := self.found(name, revision)):
            return
        if file not in repository.files:
            self.refuse(404, "EntryNotFound")
            return
        content = repository.files[file]
        large = file.endswith(LARGE)
        tag = hashlib.sha256(content).hexdigest() if large else blob_id(content)
        headers = {"X-Repo-Commit": repository.commit, "ETag": f'"{tag}"'}
        if self.command == "HEAD" and large:
            # As there: large files lie on another host, which does not know of repositories.
            port = self.server.server_port
            headers = {
                "X-Repo-Commit": repository.commit,
                "X-Linked-Etag": f'"{tag}"',
                "X-Linked-Size": str(len(content)),
                "Location": f"http://localhost:{port}/cdn{path}",
            }
            self.send(302, b"", headers)
            return
        if file in self.hub.wrong:
            content = bytes([content[0] ^ 1]) + content[1:]
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send(206 if start else 200, content[start:], headers, file)

    def send(self, status: int, content: bytes, headers: dict[str, str], file: str = "") -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if file in self.hub.stalls:
            self.wfile.write(content[: len(content) // 2])
            self.hub.stalls[file].set()
            threading.Event().wait(60)
        elif file in self.hub.breaks:
            length = self.hub.breaks[file]
            if not self.hub.forever:
                del self.hub.breaks[file]
            self.wfile.write(content[:length])
            self.close_connection = True
        else:
            self.wfile.write(content)
