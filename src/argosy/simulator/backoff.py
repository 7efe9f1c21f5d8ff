"""How long to wait before something is tried again that failed: longer each time, up to a minute."""

from collections.abc import Iterator
from typing import Final

_FIRST_S: Final = 1.0
_LONGEST_S: Final = 60.0


def delays() -> Iterator[float]:
    """Seconds before the second attempt, the third, and so on without an end.

    >>> from itertools import islice
    >>> list(islice(delays(), 8))
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    """
    delay_s = _FIRST_S
    while True:
        yield delay_s
        delay_s = min(2 * delay_s, _LONGEST_S)
