"""Writes down what happens when: one track a container, its memory sampled beside it."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from argosy.conformance.probes import Exchange
from argosy.conformance.recording import (
    Kind,
    Latency,
    Life,
    Moment,
    Recording,
    Sample,
    TimedExchange,
    Turn,
)

_INTERVAL_S: Final = 0.2
_SAMPLER_ENDS_S: Final = 5.0
_PAUSE: Final = 40
"""Between two samples lies this many times what one takes of a processor."""
_MOST_POINTS: Final = 200
"""Of a container's exchanges and samples; a chart cannot show more."""
_CELL_S: Final = 0.05
_BOUNDS_S: Final = tuple(digit * 10.0**power for power in range(-3, 2) for digit in (1, 2, 5))


class Recorder:
    """Collects the tracks of all containers of one examination; used from several threads."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._tracks: list[Track] = []

    def track(self, act: str) -> "Track":
        """The track of a container that is about to be started."""
        track = Track(act, self._begun)
        self._tracks.append(track)
        return track

    def recording(self) -> Recording:
        """What was written down so far."""
        lives = [track.life() for track in self._tracks if track.is_started]
        return Recording(tuple(sorted(lives, key=lambda life: life.began_s)))


@dataclass(slots=True)
class _Notes:
    """What a track has so far."""

    turns: list[Turn] = field(default_factory=list)
    exchanges: list[TimedExchange] = field(default_factory=list)
    memory: list[Sample] = field(default_factory=list)


class Track:
    """What happened to one container: used from several threads.

    Args:
        act: What is done with it.
        examination_begun: `time.monotonic()` when the examination began.
    """

    def __init__(self, act: str, examination_begun: float) -> None:
        self._act = act
        self._examination_begun = examination_begun
        self._begun: float | None = None
        self._closed: float | None = None
        self._notes = _Notes()
        self._over = threading.Event()
        self._sampler: threading.Thread | None = None

    @property
    def is_started(self) -> bool:
        """Whether its container was started, or at least tried to be."""
        return self._begun is not None

    def start(self, memory_bytes: Callable[[], int | None]) -> None:
        """The container is being started; from now on its memory is sampled."""
        self._begun = time.monotonic()
        self.turn(Moment.STARTED, self._begun)
        self._sampler = threading.Thread(target=self._sample, args=(memory_bytes,), name="memory", daemon=True)
        self._sampler.start()

    def turn(self, moment: Moment, at: float | None = None) -> None:
        """Something happened: the first time counts.

        Args:
            moment: What.
            at: `time.monotonic()` then; None is now.
        """
        if all(turn.moment is not moment for turn in self._notes.turns):
            self._notes.turns.append(Turn(moment, self._since(time.monotonic() if at is None else at)))

    def exchange(self, exchange: Exchange) -> None:
        """A request was answered, or was not."""
        request = exchange.request
        path = request.path.partition("?")[0]
        kind = {"/ping": Kind.HEALTH_CHECK, "/invocations": Kind.INVOCATION}.get(path, Kind.OTHER)
        self._notes.exchanges.append(
            TimedExchange(
                kind,
                request.name or f"{request.method} {request.path}",
                self._since(exchange.ended_at - exchange.total_s),
                round(exchange.total_s, 6),
                exchange.status,
                len(request.body or b""),
            )
        )

    def close(self) -> None:
        """The container is about to be removed."""
        if self._begun is None:
            return
        self._over.set()
        if self._sampler is not None:
            self._sampler.join(_SAMPLER_ENDS_S)  # it may hang in an engine that does; it is no reason to hang here
        self._closed = time.monotonic()
        if not {turn.moment for turn in self._notes.turns} & {Moment.REFUSED, Moment.ENDED, Moment.KILLED}:
            self.turn(Moment.REMOVED, self._closed)

    def life(self) -> Life:
        """What was written down, few enough for a chart."""
        notes = self._notes
        return Life(
            act=self._act,
            began_s=round((self._begun or self._examination_begun) - self._examination_begun, 3),
            seconds=self._since(self._closed or time.monotonic()),
            turns=tuple(sorted(notes.turns, key=lambda turn: turn.at_s)),
            exchanges=_thinned(sorted(notes.exchanges, key=lambda exchange: exchange.at_s)),
            latencies=tuple(_latencies(notes.exchanges)),
            memory=_thinned_memory(tuple(notes.memory)),
        )

    def _since(self, moment: float) -> float:
        return round(max(0.0, moment - (self._begun or moment)), 3)

    def _sample(self, memory_bytes: Callable[[], int | None]) -> None:
        pause_s = 0.0
        while not self._over.wait(pause_s):
            begun, spent_s = time.monotonic(), time.thread_time()
            taken = memory_bytes()
            if taken is not None:
                self._notes.memory.append(Sample(self._since(begun), taken))
            pause_s = pause_after(time.thread_time() - spent_s)


def pause_after(spent_s: float) -> float:
    """How long to wait after a sample that took so much of a processor: sampling may not slow down what is sampled."""
    return max(_INTERVAL_S, _PAUSE * spent_s)


def _thinned(exchanges: list[TimedExchange]) -> tuple[TimedExchange, ...]:
    """The slowest of those alike that lie in the same cell of time; cells grow until there are few enough."""
    kept, cell_s = exchanges, _CELL_S
    while len(kept) > _MOST_POINTS:
        slowest: dict[tuple[Kind, int | None, int], TimedExchange] = {}
        for exchange in exchanges:
            place = (exchange.kind, exchange.status, int(exchange.at_s / cell_s))
            if place not in slowest or slowest[place].seconds < exchange.seconds:
                slowest[place] = exchange
        kept, cell_s = list(slowest.values()), cell_s * 2
        if len(slowest) <= len({(kind, status) for kind, status, _ in slowest}):
            break  # they differ in more than their time
    return tuple(sorted(kept, key=lambda exchange: exchange.at_s))


def _thinned_memory(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """Of each two neighbours the one with more memory, until there are few enough."""
    while len(samples) > _MOST_POINTS:
        pairs = zip(samples[::2], samples[1::2], strict=False)
        last = samples[-1:] if len(samples) % 2 else ()
        samples = (*(max(pair, key=lambda sample: sample.bytes) for pair in pairs), *last)
    return samples


def _latencies(exchanges: Iterable[TimedExchange]) -> Iterable[Latency]:
    answered = [exchange for exchange in exchanges if exchange.status is not None]
    for kind in Kind:
        seconds = sorted(exchange.seconds for exchange in answered if exchange.kind is kind)
        if seconds:
            median_s, p90_s, p99_s = (seconds[int((len(seconds) - 1) * part)] for part in (0.5, 0.9, 0.99))
            yield Latency(kind, len(seconds), median_s, p90_s, p99_s, seconds[-1], _buckets(seconds))


def _buckets(seconds: list[float]) -> tuple[tuple[float, int], ...]:
    """How many lie below each bound and above the one before; the last bound is above all of them."""
    bounds = [bound for bound in _BOUNDS_S if bound < seconds[-1]]
    bounds.append(next((bound for bound in _BOUNDS_S if bound >= seconds[-1]), seconds[-1]))
    below = [sum(each <= bound for each in seconds) for bound in bounds]
    return tuple((bound, count - before) for bound, count, before in zip(bounds, below, [0, *below], strict=False))
