"""Files of known digest over HTTP: several at once, tried again, resumed where they broke off, verified, kept.

Source: RFC 9110, sections 10.2.3 (Retry-After) and 14 (ranges), read 2026-11-22.
"""

import collections
import contextlib
import email.utils
import queue
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx

from argosy.errors import ArgosyError, ImageError, NetworkError
from argosy.image.blobs import CHUNK, BlobStore, PartialBlob

PARALLEL: Final = 8
ATTEMPTS: Final = 5
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 60.0
BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same request may do better."""

T = TypeVar("T")
Item = TypeVar("Item")
Credentials = Mapping[str, tuple[str, str]]
"""User and password by `origin` of the URLs that they are for."""

_TIMEOUT: Final = httpx.Timeout(30.0, connect=15.0)
LOG_IN: Final = (
    "give the index's user and password in its URL: export UV_DEFAULT_INDEX=https://USER:PASSWORD@HOST/simple"
)
_LAST_CHUNK_S: Final = 1.0
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PARTIAL: Final = frozenset({httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE})


@dataclass(frozen=True, slots=True)
class Download:
    """A file whose content is known before it is fetched.

    Attributes:
        url: Where from.
        digest: `sha256:` and 64 digits.
        size: In bytes, where it is known.
        complaint: What is said when something else comes.
    """

    url: str
    digest: str
    size: int | None = None
    complaint: str = "a download is not what its lock says"


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

        at_once(act, missing)


def at_once(act: Callable[[Item, threading.Event], None], items: Iterable[Item], parallel: int = PARALLEL) -> None:
    """Call `act` for each of them on a few threads, until one fails or the person does not want it any more.

    `act` is given an event that tells it to stop. Nobody waits for a thread that hangs on a silent server: the process
    may end before it.
    """
    waiting = collections.deque(items)
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

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(parallel, len(waiting)))]
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
        with _tried(url):
            response = client.get(url)
            response.raise_for_status()
            return response.content

    return persistently(read)


def origin(url: str) -> str:
    """Scheme, host and port of a URL: those whom a password is for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}"


def shown(url: str) -> str:
    """The URL without what may be secret: user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


class AgainError(Exception):
    """An attempt failed in a way that the next one may not.

    Args:
        error: What is raised when there is no next one.
        wait_s: Seconds that the server asks to wait before it, if it does.
    """

    def __init__(self, error: ArgosyError, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


class StoppedError(Exception):
    """Nobody wants the transfer any more."""


def persistently(act: Callable[[], T], attempts: int = ATTEMPTS, has_gained: Callable[[], bool] = lambda: False) -> T:
    """Do it, and again when it raises `AgainError`, after ever longer pauses of random length.

    Args:
        act: Safe to repeat.
        attempts: How often at most.
        has_gained: Whether the last attempt brought things forward; then it does not count.

    Raises:
        ArgosyError: The last attempt's, or one that asks for a longer pause than anybody would wait.
    """
    attempt = 0
    while True:
        try:
            return act()
        except AgainError as again:
            attempt = 1 if has_gained() else attempt + 1
            if attempt >= attempts or (again.wait_s or 0.0) > LONGEST_PAUSE_S:
                raise again.error from again.__cause__
            time.sleep(pause_s(attempt, again.wait_s))


def pause_s(attempt: int, asked_s: float | None) -> float:
    """Seconds to wait after an attempt, counted from 1: what the server asks, else random, below a doubling limit."""
    if asked_s is not None:
        return asked_s
    limit: float = min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
    return random.uniform(limit / 2, limit)


def asked_pause_s(response: httpx.Response) -> float | None:
    """The seconds of a Retry-After header, given as a number or as a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def receive(
    download: Download,
    store: BlobStore,
    opened: Callable[[Mapping[str, str]], AbstractContextManager[httpx.Response]],
    *,
    advance: Callable[[int], None],
    attempts: int = ATTEMPTS,
) -> None:
    """Bring a file into the store; where the connection breaks, only the rest is asked for, in the next run too.

    Args:
        download: What to bring; a size that is known is a limit, too.
        store: Where to.
        opened: Sends a GET with these headers and gives the answer, of status 200, 206 or 416; raises `AgainError`
            where another attempt may help, also when the body breaks off.
        advance: Told how many bytes more (or, when it starts again, fewer) are there.
        attempts: How many in a row may bring nothing.

    Raises:
        ImageError: What came is not what the digest says, even from its start; nothing of it is kept.
    """
    with store.resumed(download.digest) as partial:
        advance(partial.size)
        most = partial.size

        def has_gained() -> bool:
            nonlocal most
            gained, most = partial.size >= most + CHUNK, max(most, partial.size)
            return gained

        def attempt() -> None:
            if partial.size and _is_it(download, partial):
                return
            is_whole = False
            with contextlib.suppress(_UselessPartError):
                is_whole = _continue(download, partial, opened, advance)
            if not is_whole and not _is_it(download, partial):
                # What was there already, or the ranges of this server, may be to blame: once more, all of it.
                _restart(partial, advance)
                with contextlib.suppress(_UselessPartError):
                    _continue(download, partial, opened, advance)
            if not _is_it(download, partial):
                got = f"{partial.digest}, {partial.size} bytes"
                want = f"{download.digest}{f', {download.size} bytes' if download.size is not None else ''}"
                _restart(partial, advance)
                raise ImageError(download.complaint, got=got, want=want, where=shown(download.url))

        persistently(attempt, attempts, has_gained)


class _UselessPartError(Exception):
    """The server does not go on where we are."""


def _continue(
    download: Download,
    partial: PartialBlob,
    opened: Callable[[Mapping[str, str]], AbstractContextManager[httpx.Response]],
    advance: Callable[[int], None],
) -> bool:
    """Receive what is missing; whether all of the file came with this one answer."""
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={partial.size}-"} if partial.size else {})}
    with opened(headers) as response:
        if response.status_code in _PARTIAL:
            found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if response.status_code != httpx.codes.PARTIAL_CONTENT or not found or int(found[1]) != partial.size:
                raise _UselessPartError
        elif partial.size:
            _restart(partial, advance)
        is_whole = partial.size == 0
        for chunk in response.iter_bytes():
            partial.write(chunk)
            advance(len(chunk))
            if download.size is not None and partial.size > download.size:
                break  # a server that never ends would fill the disk
    return is_whole


def _is_it(download: Download, partial: PartialBlob) -> bool:
    return partial.digest == download.digest and download.size in (None, partial.size)


def _restart(partial: PartialBlob, advance: Callable[[int], None]) -> None:
    advance(-partial.size)
    partial.restart()


def _fetch(
    client: httpx.Client,
    download: Download,
    store: BlobStore,
    stopped: threading.Event,
    login: tuple[str, str] | None,
) -> None:
    auth = httpx.USE_CLIENT_DEFAULT if login is None else login

    @contextmanager
    def opened(headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        with _tried(download.url), client.stream("GET", download.url, auth=auth, headers=headers) as response:
            if response.status_code not in _PARTIAL:
                response.raise_for_status()
            yield response

    def advance(_: int) -> None:
        if stopped.is_set():
            raise StoppedError

    receive(download, store, opened, advance=advance)


@contextmanager
def _tried(url: str) -> Iterator[None]:
    """One attempt: what httpx raises becomes an error of ours, or a reason to try again."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        refusal = NetworkError(
            "a download was refused",
            got=f"status {status}",
            where=shown(url),
            hint=LOG_IN if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) else None,
        )
        if status not in BUSY:
            raise refusal from error
        raise AgainError(refusal, asked_pause_s(error.response)) from error
    except httpx.HTTPError as error:
        failure = NetworkError(
            "a download failed",
            got=f"{type(error).__name__}: {error}",
            where=shown(url),
            hint="what was downloaded once is kept: the next run needs only what is missing",
        )
        raise AgainError(failure) from error
