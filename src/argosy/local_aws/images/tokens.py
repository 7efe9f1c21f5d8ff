"""ECR's authorization tokens: basic credentials for one account's registry in one region, good for twelve hours.

Source: API reference, GetAuthorizationToken (read 2026-11-23).
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

USER: Final = "AWS"
LIFE_S: Final = 12 * 3600


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was given out.

    Attributes:
        password: That goes with the user `AWS`.
        expires: Seconds since 1970.
    """

    password: str
    expires: float

    @property
    def encoded(self) -> str:
        """`USER:PASSWORD` as ECR answers it."""
        return base64.b64encode(f"{USER}:{self.password}".encode()).decode()


class Tokens:
    """Gives tokens out, and knows its own again.

    Args:
        now: Tells the time in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._key = secrets.token_bytes(32)

    def issue(self, account: str, region: str) -> Token:
        """A token for an account's registry in a region."""
        expires = round(self._now() + LIFE_S, 3)
        claims = base64.urlsafe_b64encode(json.dumps([account, region, expires]).encode()).decode()
        return Token(f"{claims}.{self._mac(claims)}", expires)

    def account_of(self, authorization: str, region: str) -> str | None:
        """The account whose token an Authorization header field has; None when it is no good in this region."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        claims, _, mac = password.partition(".")
        if user != USER or not hmac.compare_digest(mac.encode(), self._mac(claims).encode()):
            return None
        account, known, expires = json.loads(base64.urlsafe_b64decode(claims))
        return str(account) if known == region and self._now() < expires else None

    def _mac(self, claims: str) -> str:
        return hmac.new(self._key, claims.encode(), hashlib.sha256).hexdigest()
