"""Bodies of all sizes, and every way to tell where one ends."""

from dataclasses import dataclass

from argosy.conformance.probes import Exchange


@dataclass(frozen=True, slots=True)
class LargeBody:
    """A body of 25 MB; when it was refused, one of 6 MB too."""

    baseline: Exchange
    large: Exchange
    smaller: Exchange | None


@dataclass(frozen=True, slots=True)
class BatchBody:
    """The largest body that a transform job may send: 100 MB, or what the container says of itself."""

    baseline: Exchange
    large: Exchange


@dataclass(frozen=True, slots=True)
class Framings:
    """The baseline invocation, its body sent in other ways.

    Attributes:
        baseline: With Content-Length.
        chunked: In chunks, without Content-Length.
        expected: Announced with `Expect: 100-continue`.
    """

    baseline: Exchange
    chunked: Exchange
    expected: Exchange
