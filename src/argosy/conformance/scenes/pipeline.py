"""Two containers of an inference pipeline in one network: each at the port that it is told."""

from dataclasses import dataclass

from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Start


@dataclass(frozen=True, slots=True)
class PipelineStart:
    """The starts of two containers of the same image.

    Attributes:
        kind: `docker`, `podman`, `sandbox` or `process`.
        ports: The port that each was told to listen on.
        ranges: The range in which each may use further ports.
        first: The start of the first.
        second: The start of the second, while the first runs; None when that did not get healthy.
        shares_network: Whether the second really is in the network of the first.
    """

    kind: str
    ports: tuple[str, str]
    ranges: tuple[str, str]
    first: Start
    second: Start | None
    shares_network: bool


@dataclass(frozen=True, slots=True)
class HandOver:
    """An answer of the first container, sent to the second as its input.

    Attributes:
        answer: Of the first.
        next: Of the second; None when the answer of the first does not say what it is.
    """

    answer: Exchange
    next: Exchange | None
