"""ASGI's own types, as servers and applications of the simulator see them: messages hold what its text says for each.

Source:
    https://asgi.readthedocs.io/en/latest/specs/www.html (read 2026-11-22).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
