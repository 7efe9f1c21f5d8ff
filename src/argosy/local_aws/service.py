"""What the local AWS gives to a service behind its door, and what it takes from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from argosy.simulator.runtime.asgi import Message, Receive, Send

AfterWrite = Callable[[str, str], Awaitable[None]]
"""Told of a call that has changed something, before it is answered: signing name of the service, and operation."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account of the access key, and the region of the credential scope."""

    account: str
    region: str


class Service(Protocol):
    """A service of AWS behind the door."""

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request of this service (ASGI)."""
