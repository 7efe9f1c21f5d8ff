"""How many invocations a model process is handed at a time, and how long it pays to wait for more.

Theory of operation. What already waits is handed over together; nobody waits for others unless the project says so.
Three things are learned from each frame of answers:

- What an invocation costs when many are handed over, by powers of two. Where larger frames no longer make an invocation
  cheaper, smaller ones give the same throughput and sooner answers, so the smallest of the cheapest sizes is used. The
  sizes are tried from the smallest up, and now and then the largest again.
- How many rows an invocation has: the limit of a batch is in rows.
- The service time. Clients that were just answered ask again a moment later; a process that is handed what waits at
  that very moment leaves half of them behind, and so the next time, in lock-step. After an answer the process therefore
  waits a moment for as many as were just answered, when they are known to be cheaper together: never longer than half
  of what that saves, nor than a small share of the service time; not at all for a fast model or a single client. The
  event loop counts in whole milliseconds: less than half of one is a single turn of it.

A predictor whose rows may not be joined still gets several invocations in a frame when they are so quick that handing
over is what costs most; never so many that one waits long behind the others.
"""

from typing import Final

from argosy.serving.settings import Batching

_SHARE: Final = 0.15
"""Of the service time, for which a process waits after an answer at most."""
_WORTH_S: Final = 0.0001
"""A pause shorter than this costs more than it brings."""
_LONGEST_S: Final = 0.002
_QUICK_S: Final = 0.0005
"""How long a frame of invocations that are not joined may take."""
_FRAME_S: Final = 0.00003
"""What a frame costs beside its invocations, on both ends."""
_UP: Final = 1.25
_DOWN: Final = 0.97
"""Steps that follow the cost which nine frames of ten stay below; one frame that the kernel delayed changes little."""
_MOST: Final = 64
"""Invocations in a frame that are not joined."""
_MEMORY: Final = 0.1
"""Weight of the latest measurement."""
_TOLERANCE: Final = 1.03
"""A size is as good as the best when an invocation costs at most this much more."""
_TRUSTED: Final = 4
"""Frames of a size after which its cost is believed."""
_OUTLIER: Final = 2.0
"""A frame that costs more than this many times what its size usually does counts as if it cost that much."""
_EXPLORE_EVERY: Final = 128


class _Size:
    """What is known of frames of about one size."""

    __slots__ = ("cost", "largest", "seen")

    def __init__(self) -> None:
        self.cost = 0.0
        self.largest = 0
        self.seen = 0


class BatchPolicy:
    """What was learned of one predictor.

    Args:
        batching: The limits that the project sets.
    """

    def __init__(self, batching: Batching) -> None:
        self.joins = False
        self.max_delay_s = batching.max_delay_ms / 1000
        self._batching = batching
        self._service = 0.0
        self._dear = 0.0
        self._rows = 1.0
        self._sizes = [_Size() for _ in range(batching.most_rows(1).bit_length() + 1)]
        self._frames = 0
        self._limit = 1

    @property
    def limit(self) -> int:
        """Invocations that the next frame may hold."""
        return self._limit

    def linger(self, waiting: int, answered: int) -> tuple[float, int]:
        """How long a process waits after an answer before it is handed more, and for how many at most.

        Args:
            waiting: Invocations that wait by now.
            answered: Invocations that were just answered: their clients may come again at once.

        Returns:
            Seconds, 0 when it does not pay; and the number of waiting invocations that ends the wait.
        """
        together = min(waiting + answered, self._limit)
        longest = min(_LONGEST_S, _SHARE * self._service)
        if not self.joins or longest < _WORTH_S or together < 2 or waiting >= together:
            return 0.0, 0
        saving = together * (self._cost(max(waiting, 1)) - self._cost(together))
        pause = min(longest, saving / 2)
        return (pause, together) if pause >= _WORTH_S else (0.0, 0)

    def learn(self, count: int, rows: int, seconds: float, busy: float) -> None:
        """One frame was answered.

        Args:
            count: Invocations in it.
            rows: Rows in it.
            seconds: From hand-over to answer.
            busy: Of these, what the model process measured for decoding, predicting and encoding.
        """
        self._service += _MEMORY * (seconds - self._service) if self._service else seconds
        each = busy / count
        self._dear = self._dear * (_UP if each > self._dear else _DOWN) if self._dear else each
        self._frames += 1
        if self.joins:
            self._rows += _MEMORY * (rows / count - self._rows)
            size = self._sizes[min(count.bit_length(), len(self._sizes) - 1)]
            cost = (busy + _FRAME_S) / count
            if size.seen >= _TRUSTED:
                cost = min(cost, size.cost * _OUTLIER)
            size.cost += max(_MEMORY, 1 / (size.seen + 1)) * (cost - size.cost)
            size.largest = max(size.largest, count)
            size.seen += 1
        self._limit = self._next_limit()

    def _next_limit(self) -> int:
        quick = min(_MOST, int(_QUICK_S / self._dear)) if self._dear > 0 else 1
        if not self.joins:
            return max(1, quick)
        most = self._batching.most_invocations(self._rows)
        if self._frames % _EXPLORE_EVERY:
            most = min(most, self._cheapest(most))
        return most or max(1, quick)  # rows that are too many to be joined are only handed over together

    def _cost(self, count: int) -> float:
        """What an invocation costs among so many, as far as it is known: that of the next smaller size that is."""
        for size in reversed(self._sizes[: count.bit_length() + 1]):
            if size.seen:
                return size.cost
        return self._dear

    def _cheapest(self, most: int) -> int:
        """The smallest size that is as cheap as the best; as long as larger ones are not known, twice the largest."""
        known = [size for size in self._sizes if size.seen >= _TRUSTED]
        if not known:
            return 1
        if known[-1].largest * 2 <= most:
            return known[-1].largest * 2
        best = min(size.cost for size in known)
        return next(size.largest for size in known if size.cost <= best * _TOLERANCE)
