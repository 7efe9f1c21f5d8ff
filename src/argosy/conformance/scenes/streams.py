"""Answers that come in parts, and conversations over WebSocket."""

from dataclasses import dataclass

from argosy.conformance.probes import Exchange


@dataclass(frozen=True, slots=True)
class Streaming:
    """Invocations whose answers are, or came, in parts; the same request may be there twice."""

    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Bidirectional:
    """A WebSocket at `/invocations-bidirectional-stream`.

    Attributes:
        label: The image's label for it; empty when it has none, None when there is no image.
        is_open: Whether the container took the upgrade.
        outcome: What it answered to the upgrade, or how that failed: `101`, `404`, `no answer within 2 s`.
        pings: Ping frames that were sent.
        pongs: Pong frames that came back with what the pings held.
        seconds: From the request to the last of them.
    """

    label: str | None
    is_open: bool
    outcome: str
    pings: int = 0
    pongs: int = 0
    seconds: float = 0.0

    @property
    def is_claimed(self) -> bool:
        """Whether the label says that there is one."""
        return self.label == "true"
