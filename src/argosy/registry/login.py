"""Logging in to a registry: basic authentication and the token protocol; tokens are asked for again before they expire.

Source: distribution.github.io/distribution/spec/auth/token and /oauth (read 2026-11-22).
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from argosy.aws import ecr
from argosy.errors import RegistryError
from argosy.image.download import BUSY, AgainError, asked_pause_s, shown
from argosy.registry.access import Access
from argosy.registry.auth import Challenge, Credentials, join_scopes, parse_challenge, read_credentials, server_key
from argosy.registry.credential_store import ask
from argosy.registry.endpoint import is_loopback

_LIFE_S: Final = 60.0
"""How long a token lives that does not say."""

_MARGIN_S: Final = 10.0
_DOCKER_LOGIN: Final = "docker login"


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    expires_s: float
    """By the monotonic clock."""


def find_credentials(registry: str, access: Access) -> Credentials:
    """What there is to log in with: as the caller says, from Docker's config, its credential store, or ECR itself.

    Raises:
        RegistryError: The config cannot be read, or ECR refuses.
    """
    if registry in access.logins:
        return access.logins[registry]()
    found = read_credentials(registry, access.docker_config)
    if not found.is_known and found.helper:
        found = ask(found.helper, server_key(registry), access.environ)
    of_ecr = None if found.is_known else ecr.registry_of(registry)
    if of_ecr is None:
        return found
    login = ecr.authorization_token(of_ecr)
    if login is None:
        return Credentials(
            trouble="ECR gives a token through boto3, which is not installed: pip install boto3, or "
            f"aws ecr get-login-password --region {of_ecr.region} | "
            f"{_DOCKER_LOGIN} --username AWS --password-stdin {registry}"
        )
    return Credentials(login.user, login.password)


class Login:
    """What one registry knows us by, for as long as a connection lasts; safe for several threads.

    Args:
        registry: Host and perhaps port, as the user names it.
        client: Asks for tokens.
        credentials: Finds what to log in with; called when the registry first asks, and again when it refuses what it
            took before, since passwords of ECR and of credential stores expire.
    """

    def __init__(self, registry: str, client: httpx.Client, credentials: Callable[[], Credentials]) -> None:
        self._registry = registry
        self._client = client
        self._find = credentials
        self._found: Credentials | None = None
        self._basic = ""
        self._was_taken = False
        self._challenge: Challenge | None = None
        self._tokens: dict[frozenset[str], _Token] = {}
        self._lock = threading.RLock()

    def header(self, scopes: Iterable[str]) -> str:
        """The Authorization header for requests of these scopes; empty while the registry has not asked for one.

        A token that is about to expire is asked for again here, so that no long upload begins with it.
        """
        key = frozenset(scopes)
        with self._lock:
            if self._basic or self._challenge is None:
                return self._basic
            token = self._tokens.get(key)
            if token is None or token.expires_s < time.monotonic():
                token = self._tokens[key] = self._ask_token(self._challenge, key)
            return token.header

    def accepted(self) -> None:
        """The registry took the header that it was given."""
        self._was_taken = True

    def follow(self, challenge: str, scopes: Iterable[str], tried: str) -> bool:
        """Log in as the registry asks.

        Args:
            challenge: Its WWW-Authenticate header.
            scopes: What the request needs, beside what the challenge says.
            tried: The Authorization header that was refused.

        Returns:
            Whether there is now another header to try.

        Raises:
            RegistryError: The registry asks for a login that is unknown or unsafe, or gives no token.
        """
        asked, key = parse_challenge(challenge), frozenset(scopes)
        with self._lock:
            if asked.scheme == "basic":
                return self._follow_basic(tried)
            if asked.scheme != "bearer" or "realm" not in asked.parameters:
                raise RegistryError(
                    "the registry asks for an unknown login", got=f"`{asked.scheme}`", where=self._registry
                )
            known = self._tokens.get(key)
            if known is None or known.header == tried:  # else another thread was here meanwhile
                self._tokens[key] = self._ask_token(asked, key)
            self._challenge = Challenge(asked.scheme, {**asked.parameters, "scope": ""})
            return True

    def hint(self) -> str:
        """What a person can do when the registry refuses."""
        trouble = "" if self._found is None else self._found.trouble
        return f"{_DOCKER_LOGIN} {self._registry}{f'  ({trouble})' if trouble else ''}"

    def _follow_basic(self, tried: str) -> bool:
        if tried != self._basic:
            return True
        if self._was_taken:
            self._found, self._was_taken = None, False
        elif tried:
            return False
        known = self._credentials()
        self._basic = known.basic if known.user else ""
        return bool(self._basic) and self._basic != tried

    def _credentials(self) -> Credentials:
        if self._found is None:
            self._found = self._find()
        return self._found

    def _ask_token(self, challenge: Challenge, scopes: frozenset[str]) -> _Token:
        realm = challenge.parameters["realm"]
        if urlsplit(realm).scheme != "https" and not is_loopback(urlsplit(realm).netloc):
            raise RegistryError("the registry would have the password sent unencrypted", where=shown(realm))
        wanted = join_scopes([*challenge.parameters.get("scope", "").split(), *sorted(scopes)])
        service = challenge.parameters.get("service", "")
        asked = time.monotonic()
        answer = self._request(realm, service, wanted)
        if answer.status_code != httpx.codes.OK:
            refused = RegistryError(
                "the login was refused", got=f"status {answer.status_code}", where=shown(realm), hint=self.hint()
            )
            if answer.status_code in BUSY:
                raise AgainError(refused, asked_pause_s(answer))
            raise refused
        try:
            table: Any = answer.json()
            header = f"Bearer {table.get('token') or table['access_token']}"
            life_s = float(table.get("expires_in") or _LIFE_S)
        except (ValueError, KeyError, AttributeError, TypeError):
            raise RegistryError("the login gave no token", where=shown(realm)) from None
        return _Token(header, asked + max(life_s - _MARGIN_S, life_s / 2))

    def _request(self, realm: str, service: str, scopes: tuple[str, ...]) -> httpx.Response:
        known = self._credentials()
        if known.identity_token:
            form = {
                "service": service,
                "scope": " ".join(scopes),
                "grant_type": "refresh_token",
                "refresh_token": known.identity_token,
                "client_id": "argosy",
            }
            return self._client.post(realm, data=form, follow_redirects=False)
        query: list[tuple[str, str | int | float | bool | None]] = [
            *([("service", service)] if service else []),
            *(("scope", scope) for scope in scopes),
        ]
        headers = {"Authorization": known.basic} if known.user else {}
        return self._client.get(httpx.URL(realm).copy_merge_params(query), headers=headers)
