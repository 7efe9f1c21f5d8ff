"""Stateful sessions of an endpoint: which instance has the state of which.

A container that opens a session says so in its answer, with the time until which it keeps it; invocations that name the
session then go to the same instance, until the container closes it, it expires, or the instance is replaced.

UNSURE: what SageMaker does with a session that it does not know; here the container decides, which AWS's own answer
with 400.

UNSURE: what becomes of a `NewSessionId` against the pattern of the API's model; here the client does not get it.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/stateful-sessions.html; `NewSessionId` and `ClosedSessionId` in
    botocore's sagemaker-runtime 2017-05-13 model (read 2026-11-22).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from argosy import contract
from argosy.simulator.hosting.backend import Backend
from argosy.simulator.hosting.instance import Instance

_OPENED: Final = re.compile(r"([a-zA-Z0-9](?:-*[a-zA-Z0-9])*);\sExpires=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
_LONGEST: Final = 256


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Session:
    variant: str
    instance: Instance
    backend: Backend
    expires: datetime


class Sessions:
    """The open sessions of one endpoint.

    Args:
        clock: Tells the time in UTC.
    """

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._open: dict[str, _Session] = {}

    def find(self, headers: Mapping[str, str]) -> tuple[str, Instance] | None:
        """Name of the variant, and the instance, that have the session which a request names; None without one.

        Args:
            headers: The client's, names in lower case.
        """
        name = headers.get(contract.HEADER_SESSION_ID.lower())
        session = None if name is None else self._open.get(name)
        if name is None or session is None:
            return None
        is_lost = session.instance.backend is not session.backend or not session.instance.is_in_service
        if is_lost or session.expires <= self._clock():
            del self._open[name]
            return None
        return session.variant, session.instance

    def learn(self, headers: Mapping[str, str], variant: str, instance: Instance) -> None:
        """Hear from an answer which session was opened or closed.

        Args:
            headers: The container's, names in lower case.
            variant: Name of the variant that answered.
            instance: The instance that answered.
        """
        closed = headers.get(contract.HEADER_CLOSED_SESSION_ID.lower())
        if closed is not None:
            self._open.pop(closed.partition(";")[0].strip(), None)
        opened = opened_session(headers)
        matched = None if opened is None else _OPENED.fullmatch(opened)
        if matched is None:
            return
        moment = self._clock()
        self._open = {name: session for name, session in self._open.items() if session.expires > moment}
        try:
            expires = datetime.fromisoformat(matched.group(2))
        except ValueError:
            return
        self._open[matched.group(1)] = _Session(variant, instance, instance.backend, expires)


def opened_session(headers: Mapping[str, str]) -> str | None:
    """`ID; Expires=…` of a session that an answer opens, under either of two names: AWS's own servers differ in it.

    None for what the API's model does not allow.

    Args:
        headers: The container's, names in lower case.
    """
    given = headers.get(contract.HEADER_NEW_SESSION_ID.lower())
    if given is None:
        given = headers.get(contract.HEADER_SESSION_ID.lower(), "")
    return given if len(given) <= _LONGEST and _OPENED.fullmatch(given) else None
