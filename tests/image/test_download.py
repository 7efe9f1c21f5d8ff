import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from argosy.errors import ImageError, NetworkError
from argosy.image import download
from argosy.image.blobs import BlobStore
from argosy.image.download import ATTEMPTS, Download, asked_pause_s, connected, fetch, get, pause_s, shown
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


class Ranged:
    """Gives parts as HTTP has it; each of the first answers breaks off after so many bytes."""

    def __init__(self, content: bytes, breaks: list[int], kind: str = "right") -> None:
        self.content, self.breaks, self.kind = content, breaks, kind
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request.headers.get("Range", ""))
        begin = int(self.asked[-1].removeprefix("bytes=").removesuffix("-") or 0)
        cut = self.breaks.pop(0) if self.breaks else None
        if begin == 0 or self.kind == "none":
            return Answer(200, self.content, cut=cut)
        if self.kind == "refused":
            return Answer(416)
        told = begin // 2 if self.kind == "another" else begin
        given = self.content[told:] if self.kind != "damaged" else bytes(len(self.content) - told)
        end = len(self.content) - 1
        headers = {} if self.kind == "untold" else {"Content-Range": f"bytes {told}-{end}/{end + 1}"}
        return Answer(206, given, headers, cut)


@pytest.mark.parametrize("kind", ["right", "none", "refused", "another", "damaged", "untold"])
def test_a_download_goes_on_where_it_broke_off(store: BlobStore, kind: str) -> None:
    answering = Ranged(CONTENT, [1_000_000], kind)
    with serving(answering) as url:
        fetch([Download(url, sha256(CONTENT), len(CONTENT))], store, ignore)
    assert store.read(sha256(CONTENT)) == CONTENT
    assert answering.asked[1].startswith("bytes=")
    assert len(answering.asked) == (2 if kind in ("right", "none") else 3)
    assert tree(store.folder).keys() == {f"sha256/{sha256(CONTENT)[7:]}"}


def test_a_line_that_breaks_often_is_borne_while_it_brings_something(store: BlobStore) -> None:
    content = os.urandom(12_000_000)
    answering = Ranged(content, [1_200_000] * 9)
    with serving(answering) as url:
        fetch([Download(url, sha256(content), len(content))], store, ignore)
    assert len(answering.asked) == 10 > ATTEMPTS
    assert store.size(sha256(content)) == len(content)


def test_what_another_run_left_behind_is_verified_with_the_rest(store: BlobStore) -> None:
    for left in (CONTENT[:1_000_000], os.urandom(1_000_000), CONTENT, CONTENT + b"more"):
        aside = store.folder / ".partial" / sha256(CONTENT)[7:]
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(left)
        with serving(Ranged(CONTENT, [])) as url:
            fetch([Download(url, sha256(CONTENT), len(CONTENT))], store, ignore)
        assert store.read(sha256(CONTENT)) == CONTENT
        store.remove(sha256(CONTENT))


def test_a_file_that_never_ends_is_cut_off(store: BlobStore) -> None:
    with serving(lambda _: Answer(200, CONTENT)) as url, pytest.raises(ImageError, match="not what its lock says"):
        fetch([Download(url, sha256(CONTENT), 1000)], store, ignore)
    assert tree(store.folder) == {}


def test_a_pause_that_nobody_would_wait_for_is_an_error(store: BlobStore) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(429, headers={"Retry-After": "3600"})

    with serving(answer) as url, pytest.raises(NetworkError, match="status 429"):
        fetch([Download(url, sha256(CONTENT))], store, ignore)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("header", "want"),
    [("", None), ("7", 7.0), ("soon", None), ("-1", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_the_pause_that_a_server_asks_for(header: str, want: float | None) -> None:
    assert asked_pause_s(httpx.Response(429, headers={"Retry-After": header})) == want


def test_pauses_grow_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_PAUSE_S", 0.5)
    for attempt, (least, most) in {1: (0.5, 1.0), 2: (1.0, 2.0), 30: (30.0, 60.0)}.items():
        assert all(least <= pause_s(attempt, None) <= most for _ in range(100))
    assert pause_s(1, 9.0) == 9.0


def test_a_download_that_is_killed_goes_on_in_the_next_run(tmp_path: Path) -> None:
    store, ended = BlobStore(tmp_path / "blobs"), threading.Event()
    aside = store.folder / ".partial" / sha256(CONTENT)[7:]

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + CONTENT[:2_000_000])
            ended.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/file"
        program = FETCH.replace('"sha256:" + "0" * 64', repr(sha256(CONTENT)))
        process = subprocess.Popen([sys.executable, "-c", program, url, str(store.folder)])
        try:
            deadline = time.monotonic() + 60
            while not aside.exists() or aside.stat().st_size < 1_900_000:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
            ended.set()
            server.join()
    assert store.size(sha256(CONTENT)) is None
    left = aside.stat().st_size
    answering = Ranged(CONTENT, [])
    with serving(answering) as url:
        fetch([Download(url, sha256(CONTENT), len(CONTENT))], store, ignore)
    assert answering.asked == [f"bytes={left}-"]
    assert store.read(sha256(CONTENT)) == CONTENT
