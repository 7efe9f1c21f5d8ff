"""Memory shared by the front and the model processes, where large bodies lie so that no socket carries them."""

import mmap
import os
from bisect import bisect
from typing import Final

SIZE: Final = 256 * 2**20
"""Bytes of address space; pages are taken only when a body is written there."""
THRESHOLD: Final = 64 * 2**10
"""Bodies from this size on go through the arena: below it a copy through the socket is cheaper."""
_LINE: Final = 64


class Block:
    """A piece of the arena that one invocation holds until its answer is sent.

    Args:
        arena: Whose piece it is.
        offset: Where it begins, in bytes.
        size: How long it is, in bytes.
    """

    __slots__ = ("_arena", "_is_free", "offset", "size")

    def __init__(self, arena: "Arena", offset: int, size: int) -> None:
        self._arena = arena
        self._is_free = False
        self.offset = offset
        self.size = size

    def free(self) -> None:
        """Give it back; only the first time counts."""
        if not self._is_free:
            self._is_free = True
            self._arena.take_back(self.offset, self.offset + self.size)


class Arena:
    """Blocks of shared memory, handed out by the front, each from the lowest gap that is wide enough.

    So the same few addresses are used again and again and stay in the processor's cache, and pages beyond what was ever
    needed at once are never touched.
    """

    def __init__(self, size: int = SIZE) -> None:
        self.fd = _shared_memory(size)
        self.view = memoryview(mmap.mmap(self.fd, size))
        self._starts = [0]  # of the gaps, in order; no two touch
        self._ends = [size]

    def allocate(self, size: int) -> Block | None:
        """A block of at least `size` bytes, or None when there is no room now."""
        size = (size + _LINE - 1) & -_LINE
        starts, ends = self._starts, self._ends
        for place, start in enumerate(starts):
            left = ends[place] - start - size
            if left > 0:
                starts[place] = start + size
            elif left == 0:
                del starts[place], ends[place]
            else:
                continue
            return Block(self, start, size)
        return None

    def take_back(self, start: int, end: int) -> None:
        """Make a gap of what a block held, one with the gaps beside it; `Block.free` calls it."""
        starts, ends = self._starts, self._ends
        place = bisect(starts, start)
        touches_next = place < len(starts) and starts[place] == end
        if place and ends[place - 1] == start:
            if touches_next:
                ends[place - 1] = ends[place]
                del starts[place], ends[place]
            else:
                ends[place - 1] = end
        elif touches_next:
            starts[place] = start
        else:
            starts.insert(place, start)
            ends.insert(place, end)

    def close(self) -> None:
        """Give the memory back; views of blocks must be gone."""
        self.view.release()
        os.close(self.fd)


def attach(fd: int, size: int = SIZE) -> memoryview:
    """The arena as a model process sees it, by the file descriptor that it inherited."""
    return memoryview(mmap.mmap(fd, size))


def _shared_memory(size: int) -> int:
    """A file that lives in memory only; `/dev/shm` is not used, it has 64 MB on SageMaker."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("argosy-arena")
    else:  # macOS
        name = f"/tmp/argosy-arena-{os.getpid()}"
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(name)  # noqa: PTH108 - pathlib is not needed here, and takes its time to import
    os.ftruncate(fd, size)
    return fd
