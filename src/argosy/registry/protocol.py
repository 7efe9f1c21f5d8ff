"""Requests to one repository of a registry: authenticated, retried where that is safe, refusals explained.

Source: OCI distribution-spec 1.1 (read 2026-11-22).
"""

import ipaddress
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx

from argosy.errors import RegistryError
from argosy.image.download import shown
from argosy.image.reference import DOCKER_HUB, RegistryReference
from argosy.registry.auth import Credentials, parse_challenge, read_credentials

ATTEMPTS: Final = 4
_HUB_HOST: Final = "registry-1.docker.io"
_TIMEOUT: Final = httpx.Timeout(60.0, connect=15.0)
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 10.0

T = TypeVar("T")


@contextmanager
def connect(place: RegistryReference, docker_config: Path) -> Iterator["Repository"]:
    """A connection to the repository that a reference names; plain http on loopback, https elsewhere.

    Args:
        place: Whose registry and repository.
        docker_config: Folder of Docker's `config.json`.
    """
    credentials = read_credentials(place.registry, docker_config)
    with httpx.Client(verify=ssl.create_default_context(), timeout=_TIMEOUT, follow_redirects=True) as client:
        yield Repository(place, client, credentials)


class Repository:
    """One repository of a registry; `connect` makes it."""

    def __init__(self, place: RegistryReference, client: httpx.Client, credentials: Credentials) -> None:
        self.place = place
        self._client = client
        self._credentials = credentials
        self._authorization = ""
        host = _HUB_HOST if place.registry == DOCKER_HUB else place.registry
        self._root = f"{'http' if is_loopback(host) else 'https'}://{host}/v2/"

    def url(self, path: str) -> str:
        """The URL of a path below the repository."""
        return f"{self._root}{self.place.repository}/{path}"

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
            method: Of HTTP; every one in use may be repeated, since blobs and manifests are named by their content.
            url: Absolute.
            expected: The statuses that are returned; any other is an error.
            headers: Of the request.
            body: Makes the body anew for every attempt.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """

        def attempt() -> httpx.Response:
            with self._answered(method, url, headers or {}, body) as response:
                response.read()
                self._require(response, expected)
                return response

        return self._persistently(url, attempt)

    def download(self, url: str, take: Callable[[Iterator[bytes]], None]) -> None:
        """Pass the body of a GET on as it comes; from its start again when the connection breaks.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """

        def attempt() -> None:
            with self._answered("GET", url, {}, None) as response:
                if response.status_code != httpx.codes.OK:
                    response.read()
                self._require(response, frozenset({httpx.codes.OK}))
                take(response.iter_raw(1 << 20))

        self._persistently(url, attempt)

    def _persistently(self, url: str, attempt: Callable[[], T]) -> T:
        for number in range(1, ATTEMPTS + 1):
            wait_s = 0.25 * 2**number
            try:
                return attempt()
            except _BusyError as busy:
                if number == ATTEMPTS:
                    raise self._refused(busy.response) from None
                asked = busy.response.headers.get("Retry-After", "")
                wait_s = float(asked) if asked.isdigit() else wait_s
            except httpx.HTTPError as error:
                if number == ATTEMPTS:
                    raise self._silent(url, error) from error
            time.sleep(min(wait_s, _LONGEST_WAIT_S))
        raise AssertionError("the last attempt returns or raises")

    def _require(self, response: httpx.Response, expected: frozenset[int]) -> None:
        if response.status_code in expected:
            return
        if response.status_code in _AGAIN:
            raise _BusyError(response)
        raise self._refused(response)

    @contextmanager
    def _answered(
        self, method: str, url: str, headers: Mapping[str, str], body: Callable[[], Iterator[bytes]] | None
    ) -> Iterator[httpx.Response]:
        """One request, after logging in where the registry asks for it."""
        response = self._open(method, url, headers, body)
        if response.status_code == httpx.codes.UNAUTHORIZED and self._log_in(
            response.headers.get("WWW-Authenticate", "")
        ):
            response.close()
            response = self._open(method, url, headers, body)
        try:
            yield response
        finally:
            response.close()

    def _refused(self, response: httpx.Response) -> RegistryError:
        """What a refusal says, without headers or bodies of ours."""
        hint = None
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            hint = f"docker login {self.place.registry}"
            if self._credentials.helper and not self._credentials.is_known:
                hint += (
                    f"  (Docker's config names the credential helper `{self._credentials.helper}`, and helpers are not "
                    "called yet: log in with a DOCKER_CONFIG folder whose config.json names none)"
                )
        return RegistryError(
            f"{response.request.method} was refused",
            got=f"status {response.status_code}{_explanation(response)}",
            where=shown(str(response.request.url)),
            hint=hint,
        )

    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: Callable[[], Iterator[bytes]] | None
    ) -> httpx.Response:
        known = {"Authorization": self._authorization} if self._authorization and url.startswith(self._root) else {}
        content = None if body is None else body()
        request = self._client.build_request(method, url, headers={**known, **headers}, content=content)
        return self._client.send(request, stream=True)

    def _log_in(self, header: str) -> bool:
        """Follow a challenge; whether it gave something to try again with."""
        challenge = parse_challenge(header)
        if challenge.scheme == "basic":
            tried, self._authorization = self._authorization, self._credentials.basic
            return bool(self._credentials.user) and tried != self._authorization
        if challenge.scheme != "bearer" or "realm" not in challenge.parameters:
            raise RegistryError("the registry asks for an unknown login", got=f"`{challenge.scheme}`", where=self._root)
        realm = challenge.parameters["realm"]
        if urlsplit(realm).scheme != "https" and not is_loopback(urlsplit(realm).netloc):
            raise RegistryError("the registry would have the password sent unencrypted", where=shown(realm))
        query = {key: value for key, value in challenge.parameters.items() if key in ("service", "scope")}
        answer = self._ask_token(realm, query)
        self._require(answer, frozenset({httpx.codes.OK}))
        try:
            table: Any = answer.json()
            self._authorization = f"Bearer {table.get('token') or table['access_token']}"
        except (ValueError, KeyError, AttributeError):
            raise RegistryError("the login gave no token", where=shown(realm)) from None
        return True

    def _ask_token(self, realm: str, query: dict[str, str]) -> httpx.Response:
        known = self._credentials
        if known.identity_token:
            form = {
                **query,
                "grant_type": "refresh_token",
                "refresh_token": known.identity_token,
                "client_id": "argosy",
            }
            return self._client.post(realm, data=form)
        return self._client.get(realm, params=query, headers={"Authorization": known.basic} if known.user else {})

    def _silent(self, url: str, error: httpx.HTTPError) -> RegistryError:
        return RegistryError("the registry does not answer", got=f"{type(error).__name__}: {error}", where=shown(url))


class _BusyError(Exception):
    """An answer that asks to come again; never leaves this module."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def is_loopback(host: str) -> bool:
    """Whether a host, perhaps with a port, is this machine by name or address."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _explanation(response: httpx.Response) -> str:
    """The registry's own code and message, cut."""
    try:
        table: Any = response.json()
        first = table["errors"][0]
        return f", {first['code']}: {first.get('message', '')}"[:300]
    except (ValueError, KeyError, IndexError, TypeError, httpx.StreamError):
        return ""
