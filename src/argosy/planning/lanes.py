"""Lanes side by side: what does not wait for each other, as regions do not."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import Final, TypeVar

_AT_A_TIME: Final = 12
_LOOK_UP_S: Final = 1.0

Given = TypeVar("Given")


def side_by_side(lanes: Sequence[Callable[[], Given]]) -> list[Given]:
    """Do all of them, and say what each gave.

    Ctrl-C ends the waiting and not the lanes: their threads end with the process, wherever they are, since Python's own
    pools would keep the process until AWS has answered.

    Args:
        lanes: What to do; one alone is done in this thread.

    Raises:
        Exception: Of the first lane that raised one; the others have come to their ends.
    """
    if len(lanes) == 1:
        return [lanes[0]()]
    futures: list[Future[Given]] = [Future() for _ in lanes]
    waiting, turn = iter(zip(futures, lanes, strict=True)), threading.Lock()

    def work() -> None:
        while True:
            with turn:
                task = next(waiting, None)
            if task is None:
                return
            future, lane = task
            try:
                future.set_result(lane())
            except BaseException as error:
                future.set_exception(error)

    for _ in range(min(_AT_A_TIME, len(lanes))):
        threading.Thread(target=work, daemon=True).start()
    while wait(futures, _LOOK_UP_S).not_done:
        pass  # a signal that comes as a wait begins is seen when it ends
    return [future.result() for future in futures]
