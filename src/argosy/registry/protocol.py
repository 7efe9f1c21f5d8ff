"""Requests to one repository of a registry: authenticated, tried again where that is safe, refusals explained.

Source: OCI distribution-spec 1.1 (read 2026-11-22).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

from argosy.errors import RegistryError
from argosy.image.download import ATTEMPTS, BUSY, AgainError, asked_pause_s, origin, persistently, shown
from argosy.registry.access import Access
from argosy.registry.endpoint import CERTIFICATES, Endpoint, scheme, tls_context
from argosy.registry.login import Login, find_credentials

PARALLEL: Final = 4
"""Blobs on their way at the same time."""

_TIMEOUT: Final = httpx.Timeout(60.0, connect=15.0, read=300.0)  # large blobs are stored before they are acknowledged
_LOGINS: Final = 2  # of one request: a token may have expired that another thread asked for
_LIMITS: Final = httpx.Limits(max_connections=2 * PARALLEL, max_keepalive_connections=2 * PARALLEL)
_LARGEST_ANSWER: Final = 8 << 20
_READING: Final = frozenset({"GET", "HEAD"})
_OF_CODING: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_NO_ROOM: Final = re.compile(r"no space left|\"Err\": ?28\b|disk quota|insufficient storage", re.IGNORECASE)
_REFUSED_TLS: Final = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed")


@contextmanager
def connect(endpoint: Endpoint, access: Access, actions: str = "pull") -> Iterator["Repository"]:
    """Pooled connections to a repository.

    Args:
        endpoint: Where it is.
        access: Credentials, certificates and settings.
        actions: What is going to be done, as scopes of tokens name it: `pull` or `pull,push`.

    Raises:
        UsageError: Certificates or settings cannot be read.
    """
    with httpx.Client(verify=tls_context(endpoint, access), timeout=_TIMEOUT, limits=_LIMITS) as client:
        spoken = scheme(endpoint, access)
        if endpoint.is_insecure and spoken == "https" and not _speaks_tls(client, endpoint):
            spoken = "http"
        login = Login(endpoint.registry, client, lambda: find_credentials(endpoint.registry, access))
        yield Repository(endpoint, client, login, f"{spoken}://{endpoint.host}/v2/", actions)


class Repository:
    """One repository of a registry, for several threads; `connect` makes it."""

    def __init__(self, endpoint: Endpoint, client: httpx.Client, login: Login, root: str, actions: str) -> None:
        self.endpoint = endpoint
        self._client = client
        self._login = login
        self._root = root
        self._scope = f"repository:{endpoint.repository}:{actions}"

    @property
    def attempts(self) -> int:
        """How often a request is tried: once where there is another place to ask."""
        return 1 if self.endpoint.is_mirror else ATTEMPTS

    def url(self, path: str) -> str:
        """The URL of a path below the repository."""
        return f"{self._root}{self.endpoint.repository}/{path}"

    def location(self, response: httpx.Response) -> str:
        """Where an answer says to go on.

        Raises:
            RegistryError: It does not say so, or would have TLS left.
        """
        found = urljoin(str(response.request.url), str(response.headers.get("Location", "")))
        if "Location" not in response.headers or (
            self._root.startswith("https:") and urlsplit(found).scheme != "https"
        ):
            raise RegistryError(
                "the registry does not say where to send a blob",
                got=f"Location `{shown(found)}`" if "Location" in response.headers else "no Location",
                want="an https URL" if self._root.startswith("https:") else "a URL",
                where=self.url("blobs/uploads/"),
            )
        return found

    def send(
        self,
        method: str,
        url: str,
        *,
        expected: frozenset[int],
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Iterator[bytes]] | None = None,
    ) -> httpx.Response:
        """Send a request and read its whole answer; again when the registry is busy or the connection breaks.

        Args:
            method: Of HTTP.
            url: Absolute.
            expected: The statuses that are returned; any other is an error.
            headers: Of the request.
            body: Makes the body anew for every attempt.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """

        def attempt() -> httpx.Response:
            return self.send_once(method, url, expected=expected, headers=headers, body=body)

        return persistently(attempt, self.attempts)

    def send_once(
        self,
        method: str,
        url: str,
        *,
        expected: frozenset[int],
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Iterator[bytes]] | None = None,
        scopes: Iterable[str] = (),
    ) -> httpx.Response:
        """As `send`, but one attempt; `scopes` are those that the request needs beside the repository's own.

        Raises:
            AgainError: The registry is busy, or the connection broke.
            RegistryError: The registry refuses.
        """
        with self.answered(method, url, headers=headers, body=body, scopes=scopes) as response:
            read = read_whole(response)
            self.require(read, expected)
            return read

    @contextmanager
    def answered(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Iterator[bytes]] | None = None,
        scopes: Iterable[str] = (),
    ) -> Iterator[httpx.Response]:
        """One answer, not yet read, after logging in where the registry asks for it; closed when the block ends.

        Credentials go to the registry alone: not to where it redirects to, nor to another host that takes uploads.

        Raises:
            AgainError: The connection broke, here or in the block.
            RegistryError: The registry asks for a login that cannot be given.
        """
        wanted = (self._scope, *scopes)
        is_ours = origin(url) == origin(self._root)
        try:
            known = self._login.header(wanted) if is_ours else ""
            response = self._open(method, url, headers, body, known)
            for _ in range(_LOGINS if is_ours else 0):
                if response.status_code != httpx.codes.UNAUTHORIZED:
                    break
                response = read_whole(response)
                if not self._login.follow(response.headers.get("WWW-Authenticate", ""), wanted, known):
                    break
                known = self._login.header(wanted)
                response = self._open(method, url, headers, body, known)
            if known and response.status_code != httpx.codes.UNAUTHORIZED:
                self._login.accepted()
            try:
                yield response
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise self._silent(url, error) from error

    def require(self, response: httpx.Response, expected: frozenset[int]) -> None:
        """Accept these statuses only.

        Raises:
            AgainError: The registry is busy.
            RegistryError: It refuses.
        """
        if response.status_code in expected:
            return
        refusal = self._refused(response)
        if response.status_code in BUSY and not _has_no_room(response):
            raise AgainError(refusal, asked_pause_s(response))
        raise refusal

    def _open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: Callable[[], Iterator[bytes]] | None,
        authorization: str,
    ) -> httpx.Response:
        known = {"Authorization": authorization} if authorization else {}
        content = None if body is None else body()
        request = self._client.build_request(method, url, headers={**known, **(headers or {})}, content=content)
        return self._client.send(request, stream=True, follow_redirects=method in _READING)

    def _refused(self, response: httpx.Response) -> RegistryError:
        """What a refusal says, without headers or bodies of ours."""
        hint = None
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            hint = self._login.hint()
        if _has_no_room(response):
            hint = "the registry has no room left: make some there, and run it again; what it stored is not sent again"
        asked_s = asked_pause_s(response)
        pause = f", come again in {asked_s:.0f} s" if asked_s else ""
        return RegistryError(
            f"{response.request.method} was refused",
            got=f"status {response.status_code}{_explanation(response)}{pause}",
            where=shown(str(response.request.url)),
            hint=hint,
        )

    def _silent(self, url: str, error: httpx.HTTPError) -> Exception:
        got = f"{type(error).__name__}: {error}"
        if _REFUSED_TLS.search(str(error)):
            folder = CERTIFICATES / self.endpoint.registry
            hint = f"mkdir -p {folder} && cp CA.pem {folder}/ca.crt  (or export SSL_CERT_FILE=/path/to/all-CAs.pem)"
            return RegistryError("the registry's certificate is not trusted", got=got, where=shown(url), hint=hint)
        return AgainError(RegistryError("the registry does not answer", got=got, where=shown(url)))


def _speaks_tls(client: httpx.Client, endpoint: Endpoint) -> bool:
    try:
        client.get(f"https://{endpoint.host}/v2/")
    except httpx.ConnectError:
        return False
    except httpx.HTTPError:
        pass  # the first real request tells
    return True


def read_whole(response: httpx.Response) -> httpx.Response:
    """The answer with its body, which has to be a small one; the connection is free again.

    Raises:
        RegistryError: It goes on and on.
    """
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _LARGEST_ANSWER:
            where = shown(str(response.request.url))
            raise RegistryError("an answer is too long", want=f"at most {_LARGEST_ANSWER:,} bytes", where=where)
    response.close()
    left_out = frozenset() if response.request.method == "HEAD" else _OF_CODING
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in left_out]
    return httpx.Response(response.status_code, headers=headers, content=bytes(content), request=response.request)


def _has_no_room(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.INSUFFICIENT_STORAGE or (
        response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR and bool(_NO_ROOM.search(response.text))
    )


def _explanation(response: httpx.Response) -> str:
    """The registry's own code and message, cut."""
    try:
        table: Any = response.json()
        first = table["errors"][0]
        return f", {first['code']}: {first.get('message', '')}"[:300]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
