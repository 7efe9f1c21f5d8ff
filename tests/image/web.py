"""A web server on loopback whose answers a test decides, and a package index on it."""

import hashlib
import io
import socket
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Bytes of the body after which the connection breaks."""


Answering = Callable[[Request], Answer]
"""May have a method `breaks_after(method, path)`: bytes of a body after which the connection breaks, or None."""


@contextmanager
def serving(answer: Answering, host: str = "127.0.0.1") -> Iterator[str]:
    """The URL of a server that gives these answers, without a slash at its end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            url = urlsplit(self.path)
            last = getattr(answer, "breaks_after", lambda *_: None)(self.command, url.path)
            body = self.rfile.read(length if last is None else min(last, length))
            given = answer(Request(self.command, url.path, url.query, dict(self.headers), body))
            if last is not None:
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            self.send_response(given.status)
            for name, value in {"Content-Length": str(len(given.body)), **given.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given.body if given.cut is None else given.body[: given.cut])
            if given.cut is not None:
                self.close_connection = True

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wheel(
    name: str,
    version: str,
    files: Mapping[str, bytes],
    requires: tuple[str, ...] = (),
    metadata: tuple[str, ...] = (),
) -> bytes:
    """A wheel with these files; entry points and the like are files, too. `metadata` are further lines of METADATA."""
    dist_info = f"{name}-{version}.dist-info"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *metadata]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    described = {
        f"{dist_info}/METADATA": "\n".join([*lines, ""]).encode(),
        f"{dist_info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{dist_info}/RECORD": b"",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in {**files, **described}.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return buffer.getvalue()


class PackageIndex:
    """An index as uv reads it, counting what is asked of it."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.requests: list[str] = []

    def add(self, name: str, version: str, *requires: str, files: Mapping[str, bytes] | None = None) -> None:
        """Add a pure wheel whose module is its name."""
        content = wheel(name, version, files or {f"{name}/__init__.py": f"v = {version!r}\n".encode()}, requires)
        self.add_file(name, f"{name}-{version}-py3-none-any.whl", content)

    def add_file(self, name: str, filename: str, content: bytes) -> None:
        self.files.setdefault(name.replace("_", "-").lower(), {})[filename] = content

    def add_server(self) -> None:
        """What the server itself needs, in name only."""
        self.add("uvicorn", "0.54.1", "click>=7", "h11>=0.8")
        for name, version in (("click", "8.5"), ("h11", "0.16"), ("uvloop", "1"), ("httptools", "1"), ("orjson", "4")):
            self.add(name, version)

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request.path)
        kind, _, rest = request.path.strip("/").partition("/")
        name, _, filename = rest.partition("/")
        known = self.files.get(name)
        if known is None:
            return Answer(404)
        if kind == "simple":
            links = (f'<a href="/files/{name}/{f}#sha256={_sha256(c)}">{f}</a>' for f, c in known.items())
            body = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
            return Answer(200, body, {"Content-Type": "text/html"})
        return Answer(200, known[filename]) if filename in known else Answer(404)


def uv_environment(url: str, folder: Path) -> dict[str, str]:
    """Variables that have uv know this index and nothing else."""
    settings = {"UV_DEFAULT_INDEX": f"{url}/simple", "UV_CACHE_DIR": str(folder / "uv"), "UV_NO_CONFIG": "1"}
    return {**settings, "HOME": str(folder)}


def ignore(sentence: str) -> None:
    """Takes what is said, for tests that do not listen."""


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
