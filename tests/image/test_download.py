import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from argosy.errors import ImageError, NetworkError
from argosy.image.blobs import BlobStore
from argosy.image.download import ATTEMPTS, Download, connected, fetch, get, shown
from tests.image.images import sha256, tree
from tests.image.web import Answer, Request, ignore, serving

CONTENT = os.urandom(3_000_000)


def test_files_are_fetched_once(store: BlobStore) -> None:
    asked: list[str] = []
    said: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(200, CONTENT if request.path == "/large" else b"small")

    with serving(answer) as url:
        wanted = [Download(f"{url}/large", sha256(CONTENT), len(CONTENT)), Download(f"{url}/small", sha256(b"small"))]
        fetch([*wanted, *wanted], store, said.append)
        fetch(wanted, store, said.append)
    assert sorted(asked) == ["/large", "/small"]
    assert said == ["2 files, 3.0 MB"]
    assert store.read(sha256(CONTENT)) == CONTENT


@pytest.mark.parametrize("trouble", [Answer(503), Answer(429), Answer(200, CONTENT, cut=1_000_000)])
def test_a_server_in_trouble_is_asked_again(store: BlobStore, trouble: Answer) -> None:
    answers = [trouble, Answer(200, CONTENT)]
    with serving(lambda _: answers.pop(0)) as url:
        fetch([Download(url, sha256(CONTENT))], store, ignore)
    assert store.read(sha256(CONTENT)) == CONTENT


def test_it_is_not_asked_for_ever(store: BlobStore) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(500)

    with serving(answer) as url, pytest.raises(NetworkError, match="status 500"):
        fetch([Download(url, sha256(CONTENT))], store, ignore)
    assert len(asked) == ATTEMPTS


def test_a_refusal_is_final(store: BlobStore) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(404)

    with serving(answer) as url, pytest.raises(NetworkError, match="status 404"):
        fetch([Download(url, sha256(CONTENT))], store, ignore)
    assert len(asked) == 1


def test_a_file_that_is_not_what_its_digest_says_is_not_kept(store: BlobStore) -> None:
    with serving(lambda _: Answer(200, b"evil")) as url, pytest.raises(ImageError, match="not what its lock says"):
        fetch([Download(url, sha256(CONTENT))], store, ignore)
    assert tree(store.folder) == {}


def test_no_server_is_an_error_that_shows_no_secret(store: BlobStore) -> None:
    with serving(lambda _: Answer()) as url:
        gone = url.replace("http://", "http://user:secret@")
    with pytest.raises(NetworkError) as raised, connected() as client:
        get(client, f"{gone}/file?token=secret")
    assert "secret" not in str(raised.value)
    assert shown(f"{gone}/file?token=secret") == f"{url}/file"


def test_a_damaged_file_is_fetched_again(store: BlobStore) -> None:
    with serving(lambda _: Answer(200, CONTENT)) as url:
        wanted = [Download(url, sha256(CONTENT), len(CONTENT))]
        fetch(wanted, store, ignore)
        for damage in (CONTENT[:-1] + b"!", b"", CONTENT * 2):
            store.path(sha256(CONTENT)).chmod(0o644)
            store.path(sha256(CONTENT)).write_bytes(damage)
            fetch(wanted, store, ignore)
            assert store.read(sha256(CONTENT)) == CONTENT


FETCH = """
import sys
from pathlib import Path
from argosy.image.blobs import BlobStore
from argosy.image.download import Download, fetch
try:
    fetch([Download(sys.argv[1], "sha256:" + "0" * 64)], BlobStore(Path(sys.argv[2])), print)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("drips", [True, False], ids=["dribbling", "silent"])
def test_an_interrupt_does_not_wait_for_a_slow_server(tmp_path: Path, drips: bool) -> None:
    begun, ended = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" if drips else b"")
            begun.set()
            while not ended.wait(0.1):
                connection.sendall(b"x" if drips else b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/file"
        process = subprocess.Popen([sys.executable, "-c", FETCH, url, str(tmp_path / "blobs")])
        try:
            assert begun.wait(30)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
        finally:
            process.kill()
            process.wait()
            ended.set()
            server.join()
    assert not list(tmp_path.rglob(".new.*"))
