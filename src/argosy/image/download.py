"""Files from package archives: fetched in parallel, retried, verified, and kept by their digest."""

import collections
import contextlib
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx

from argosy.errors import ImageError, NetworkError
from argosy.image.blobs import BlobStore

PARALLEL: Final = 8
ATTEMPTS: Final = 4
T = TypeVar("T")
Credentials = Mapping[str, tuple[str, str]]
"""User and password by `origin` of the URLs that they are for."""

_TIMEOUT: Final = httpx.Timeout(30.0, connect=15.0)
LOG_IN: Final = (
    "give the index's user and password in its URL: export UV_DEFAULT_INDEX=https://USER:PASSWORD@HOST/simple"
)
_LAST_CHUNK_S: Final = 1.0
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Download:
    """A file whose content is known before it is fetched: URL, `sha256:` digest, and bytes where they are known."""

    url: str
    digest: str
    size: int | None = None


def fetch(
    downloads: Iterable[Download],
    store: BlobStore,
    say: Callable[[str], None],
    credentials: Credentials = MappingProxyType({}),
) -> None:
    """Have these files in the store, whole; those that are there undamaged are not fetched again.

    Args:
        downloads: What to have.
        store: Where.
        say: Told how much is fetched, as in `3 files, 12.5 MB`, before it is; not called when nothing is missing.
        credentials: Whom to log in as, where a server is to know.

    Raises:
        NetworkError: A server does not answer or refuses.
        ImageError: A file is not what its digest says.
    """
    missing = [download for download in dict.fromkeys(downloads) if not store.is_whole(download.digest)]
    if not missing:
        return
    say(f"{len(missing)} files, {sum(download.size or 0 for download in missing) / 1e6:,.1f} MB")
    with connected() as client:

        def act(download: Download, stopped: threading.Event) -> None:
            _fetch(client, download, store, stopped, credentials.get(origin(download.url)))

        _at_once(act, missing)


def _at_once(act: Callable[[Download, threading.Event], None], downloads: Iterable[Download]) -> None:
    """Call `act` for each of them on a few threads, until one fails or the person does not want it any more.

    Nobody waits for a thread that hangs on a silent server: the process may end before it.
    """
    waiting = collections.deque(downloads)
    ended: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
    stopped = threading.Event()

    def work() -> None:
        try:
            while waiting and not stopped.is_set():
                with contextlib.suppress(IndexError):  # another thread took the last one
                    act(waiting.popleft(), stopped)
            ended.put(None)
        except Exception as error:  # raised again by the thread that waits
            ended.put(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(PARALLEL, len(waiting)))]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            error = ended.get()
            if error is not None:
                raise error
    finally:
        stopped.set()
        latest = time.monotonic() + _LAST_CHUNK_S
        for thread in threads:
            thread.join(max(0.0, latest - time.monotonic()))


@contextmanager
def connected() -> Iterator[httpx.Client]:
    """A client that trusts what the system trusts."""
    with httpx.Client(verify=ssl.create_default_context(), timeout=_TIMEOUT, follow_redirects=True) as client:
        yield client


def get(client: httpx.Client, url: str) -> bytes:
    """A small file whose digest is not known.

    Raises:
        NetworkError: The server does not answer or refuses.
    """

    def read() -> bytes:
        response = client.get(url)
        response.raise_for_status()
        return response.content

    return _persistently(read, url)


def origin(url: str) -> str:
    """Scheme, host and port of a URL: those whom a password is for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}"


def shown(url: str) -> str:
    """The URL without what may be secret: user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


class _StoppedError(Exception):
    """Nobody wants the download any more."""


def _fetch(
    client: httpx.Client,
    download: Download,
    store: BlobStore,
    stopped: threading.Event,
    login: tuple[str, str] | None,
) -> None:
    def read() -> None:
        auth = httpx.USE_CLIENT_DEFAULT if login is None else login
        with client.stream("GET", download.url, auth=auth) as response, store.writer() as writer:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                if stopped.is_set():
                    raise _StoppedError
                writer.write(chunk)
            if writer.digest != download.digest:
                raise ImageError(
                    "a download is not what its lock says",
                    got=f"{writer.digest}, {writer.size} bytes",
                    want=f"{download.digest}{f', {download.size} bytes' if download.size else ''}",
                    where=shown(download.url),
                )

    _persistently(read, download.url)


def _persistently(act: Callable[[], T], url: str) -> T:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return act()
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status not in _AGAIN or attempt == ATTEMPTS:
                raise NetworkError(
                    "a download was refused",
                    got=f"status {status}",
                    where=shown(url),
                    hint=LOG_IN if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) else None,
                ) from error
        except httpx.HTTPError as error:
            if attempt == ATTEMPTS:
                raise NetworkError(
                    "a download failed",
                    got=f"{type(error).__name__}: {error}",
                    where=shown(url),
                    hint="what was downloaded once is kept: the next run needs only what is missing",
                ) from error
        time.sleep(0.25 * 2**attempt)
    raise AssertionError("the last attempt returns or raises")
