"""Fetching the files of a model from a Hugging Face server: resumed, checked, whole or not at all.

`huggingface_hub` does neither: since version 1 it begins an interrupted file anew, and it compares
no checksums of what came over HTTP.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from storyboard import __version__
from storyboard.errors import MissingError, OutputError, UsageError

OnBytes = Callable[[int], None]
"""Told how many more bytes are there; fewer than none when some had to be thrown away."""

ENDPOINT_VARIABLE = "HF_ENDPOINT"
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
PUBLIC_ENDPOINT = "https://huggingface.co"
PART_SUFFIX = ".part"
TRIES = 6
TIMEOUT_S = 60.0
_CHUNK_BYTES = 1 << 20
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_GO_ON = "the same command goes on where it stopped"


class RemoteFile(msgspec.Struct, frozen=True):
    """A file in a repository: a large one has a SHA-256, a small one git's name for it."""

    path: str
    num_bytes: int
    sha256: str = ""
    git_sha1: str = ""


class Repository:
    """One state of a model repository on a server."""

    def __init__(
        self, name: str, revision: str, *, endpoint: str | None = None, pause_s: float = 1.0
    ) -> None:
        """Name it; nothing is fetched yet.

        Args:
            name: owner and repository, with a slash between them.
            revision: a commit.
            endpoint: the server; by default the one of the environment, else the public one.
            pause_s: how long to wait before the second try; later ones wait longer.

        Raises:
            UsageError: the environment says to stay offline, or names no server.
        """
        for variable in OFFLINE_VARIABLES:
            if os.environ.get(variable, "").upper() in {"1", "ON", "YES", "TRUE"}:
                raise UsageError(
                    f"{variable} is set, so nothing is downloaded", hint=f"unset {variable}"
                )
        self.name, self.revision = name, revision
        self.endpoint = (endpoint or server()).rstrip("/")
        if urllib.parse.urlsplit(self.endpoint).scheme not in {"http", "https"}:
            raise UsageError(
                f"{self.endpoint!r} is no server", hint=f"{ENDPOINT_VARIABLE} wants https://..."
            )
        self._pause_s = pause_s

    def files(self) -> tuple[RemoteFile, ...]:
        """Return all files of the repository, sorted by path.

        Raises:
            MissingError: the server does not answer, or has no such repository.
        """
        url = f"{self.endpoint}/api/models/{self.name}/tree/{self.revision}?recursive=true"
        found: list[RemoteFile] = []
        while url:
            entries, url = self._patiently(lambda page=url: _page(page))  # type: ignore[misc]
            found += [_remote_file(entry) for entry in entries if entry.get("type") == "file"]
        return tuple(sorted(found, key=lambda file: file.path))

    def fetch(self, file: RemoteFile, folder: Path, on_bytes: OnBytes) -> Path:
        """Put a file into the folder, or only the rest of it if some of it is there.

        What has come lies in `NAME.part` until all of it is there and its checksum agrees.

        Raises:
            MissingError: it cannot be fetched; the next try goes on where this one stopped.
            OutputError: it cannot be written.
        """
        target = folder / file.path
        if target.is_file() and target.stat().st_size == file.num_bytes:
            on_bytes(file.num_bytes)
            return target
        quoted = urllib.parse.quote(file.path)
        url = f"{self.endpoint}/{self.name}/resolve/{self.revision}/{quoted}"
        part = target.with_name(target.name + PART_SUFFIX)
        with _writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            content = _Content(part, file, on_bytes)
            self._patiently(lambda: content.receive(url), went_on=content.went_on)
            content.check()
            part.replace(target)
        return target

    def _patiently(
        self, request: Callable[[], Any], went_on: Callable[[], bool] = lambda: False
    ) -> Any:
        """Ask again while the network fails; as long as something comes, no try is counted."""
        failed = 0
        while True:
            try:
                return request()
            except urllib.error.HTTPError as err:
                if err.code not in _TRANSIENT_STATUS:
                    raise MissingError(
                        f"{self.endpoint} says {err.code} {err.reason} to {err.url}",
                        hint="the model may have moved, or the server is no model server",
                    ) from err
                problem = f"{err.code} {err.reason}"
            except (OSError, http.client.HTTPException, _CutShortError) as err:
                if isinstance(err, OSError) and not _is_of_the_network(err):
                    raise
                problem = str(getattr(err, "reason", None) or err) or type(err).__name__
            failed = 0 if went_on() else failed + 1
            if failed >= TRIES:
                raise MissingError(
                    f"cannot fetch {self.name} from {self.endpoint}: {problem}", hint=_GO_ON
                )
            time.sleep(self._pause_s * 2 ** max(0, failed - 1))


def server() -> str:
    """Return the model server that the environment names, else the public one."""
    return os.environ.get(ENDPOINT_VARIABLE) or PUBLIC_ENDPOINT


class _CutShortError(Exception):
    """The connection ended before the file did."""


class _Content:
    """The part of a file that is there, with its running checksum."""

    def __init__(self, part: Path, file: RemoteFile, on_bytes: OnBytes) -> None:
        self._part, self._file, self._on_bytes = part, file, on_bytes
        self._sum: Any = None
        self._done = self._before = 0
        self._begin_anew()
        if part.is_file():
            with part.open("rb") as old:
                while chunk := old.read(_CHUNK_BYTES):
                    self._count(chunk)

    def receive(self, url: str) -> None:
        """Append what the server sends from where the part ends."""
        self._before = self._done
        if self._done > self._file.num_bytes:
            self._throw_away()
        if self._done == self._file.num_bytes and self._part.is_file():
            return
        with _opened(url, start=self._done) as reply:
            if self._done and reply.status != http.HTTPStatus.PARTIAL_CONTENT:
                self._throw_away()  # the server sends all of it again
            with self._part.open("ab") as part:
                while chunk := reply.read(_CHUNK_BYTES):
                    part.write(chunk)
                    self._count(chunk)
        if self._done < self._file.num_bytes:
            raise _CutShortError("the connection was closed too early")

    def went_on(self) -> bool:
        """Return whether the last request brought anything."""
        return self._done > self._before

    def check(self) -> None:
        """Make sure that what came is what was published."""
        expected = self._file.sha256 or self._file.git_sha1
        if self._done == self._file.num_bytes and self._sum.hexdigest() == expected:
            return
        self._throw_away()
        raise MissingError(
            f"{self._file.path} arrived damaged and was thrown away",
            hint="the same command fetches it again",
        )

    def _begin_anew(self) -> None:
        self._done = 0
        if self._file.sha256:
            self._sum = hashlib.sha256()
        else:  # how git names a file's content
            head = b"blob %d\0" % self._file.num_bytes
            self._sum = hashlib.sha1(head, usedforsecurity=False)

    def _count(self, chunk: bytes) -> None:
        self._sum.update(chunk)
        self._done += len(chunk)
        self._on_bytes(len(chunk))

    def _throw_away(self) -> None:
        self._on_bytes(-self._done)
        self._part.unlink(missing_ok=True)
        self._begin_anew()


def _page(url: str) -> tuple[list[dict[str, Any]], str]:
    """Return one page of a listing and the address of the next, empty after the last."""
    with _opened(url) as reply:
        try:
            entries = json.loads(reply.read())
        except ValueError as err:
            raise MissingError(f"{url} gave no list of files") from err
        links = reply.headers.get("Link", "")
    following = [part for part in links.split(",") if 'rel="next"' in part]
    return entries, following[0].split("<")[1].split(">")[0] if following else ""


@contextmanager
def _opened(url: str, *, start: int = 0) -> Iterator[Any]:
    headers = {"User-Agent": f"storyboard/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - only http and https
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310 - likewise
        yield reply


def _remote_file(entry: dict[str, Any]) -> RemoteFile:
    """Return what a listing says of a file.

    Raises:
        MissingError: it says too little, or the path leads out of the folder.
    """
    try:
        path, large = PurePosixPath(entry["path"]), entry.get("lfs") or {}
        if path.is_absolute() or ".." in path.parts or "\\" in str(path) or ":" in str(path):
            raise ValueError(path)
        return RemoteFile(
            path=str(path),
            num_bytes=int(large.get("size", entry["size"])),
            sha256=str(large.get("oid", "")).removeprefix("sha256:"),
            git_sha1="" if large else str(entry["oid"]),
        )
    except (KeyError, TypeError, ValueError) as err:
        raise MissingError(f"the server lists a file that cannot be: {entry!r}") from err


def _is_of_the_network(err: OSError) -> bool:
    network = urllib.error.URLError | ConnectionError | TimeoutError | ssl.SSLError
    return isinstance(err, network)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise OutputError(
            f"cannot write {target}: {err.strerror or err}",
            hint=f"make room or check that the folder may be written to; {_GO_ON}",
        ) from err
