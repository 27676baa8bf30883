"""A model server on this machine that answers as the public one does, and can be made to fail."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

REPOSITORY, REVISION = "somebody/Model", "0123abcd"


class Hub:
    """What the server has, what it does wrong, and what it was asked."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.endpoint = ""
        self.asked: list[tuple[str, str]] = []  # path and Range
        self.cuts: list[int] = []  # after so many bytes the next answers end
        self.errors: list[int] = []  # the next answers are these
        self.knows_ranges = True
        self.sends: dict[str, bytes] = {}  # in place of what was published

    def listing(self) -> list[dict[str, object]]:
        """The files as the server lists them: large ones with a SHA-256."""
        entries: list[dict[str, object]] = [{"type": "directory", "path": "image_generator"}]
        for path, data in self.files.items():
            entry: dict[str, object] = {"type": "file", "path": path, "size": len(data)}
            if path.endswith((".bin", ".safetensors")):
                digest = hashlib.sha256(data).hexdigest()
                entry |= {"oid": "0" * 40, "lfs": {"oid": digest, "size": len(data)}}
            else:
                head = b"blob %d\0" % len(data)
                entry["oid"] = hashlib.sha1(head + data, usedforsecurity=False).hexdigest()
            entries.append(entry)
        return entries


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((path, self.headers.get("Range", "")))
        if self.hub.errors:
            self.send_error(self.hub.errors.pop(0))
            return
        if path == f"/api/models/{REPOSITORY}/tree/{REVISION}":
            self._send(json.dumps(self.hub.listing()).encode())
            return
        name = path.removeprefix(f"/{REPOSITORY}/resolve/{REVISION}/")
        if name.endswith(".bin") and not name.startswith("/elsewhere/"):  # where large files lie
            self.send_response(302)
            self.send_header("Location", f"/elsewhere/{name}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        name = name.removeprefix("/elsewhere/")
        if name not in self.hub.files:
            self.send_error(404)
            return
        self._send_file(self.hub.sends.get(name, self.hub.files[name]))

    def _send_file(self, data: bytes) -> None:
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if wanted and self.hub.knows_ranges:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            data = data[start:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.hub.cuts:
            data = data[: self.hub.cuts.pop(0)]
            self.close_connection = True
        self.wfile.write(data)

    def _send(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Answer on a free port until the context ends."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
