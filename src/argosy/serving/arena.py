"""Memory shared by the front and the model processes, where large bodies lie so that no socket carries them."""

import mmap
import os
from collections import deque
from typing import Final

SIZE: Final = 256 * 2**20
"""Bytes of address space; pages are taken only when a body is written there."""
THRESHOLD: Final = 64 * 2**10
"""Bodies from this size on go through the arena: below it a copy through the socket is cheaper."""
_LINE: Final = 64


class Block:
    """A piece of the arena that one invocation holds until its answer is sent."""

    __slots__ = ("is_free", "offset", "size")

    def __init__(self, offset: int, size: int) -> None:
        self.offset = offset
        self.size = size
        self.is_free = False


class Arena:
    """A ring of blocks over shared memory: the front hands them out, the oldest free ones are used again first."""

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self.fd = _shared_memory(size)
        self.view = memoryview(mmap.mmap(self.fd, size))
        self._blocks: deque[Block] = deque()
        self._head = 0

    def allocate(self, size: int) -> Block | None:
        """A block of at least `size` bytes, or None when there is no room now."""
        size = (size + _LINE - 1) & -_LINE
        blocks = self._blocks
        while blocks and blocks[0].is_free:
            blocks.popleft()
        if not blocks:
            self._head = 0
            room = self.size
        elif self._head > blocks[0].offset:
            room = self.size - self._head
            if room < size and blocks[0].offset > size:
                self._head, room = 0, blocks[0].offset - _LINE
        else:
            room = blocks[0].offset - self._head - _LINE
        if size > room:
            return None
        block = Block(self._head, size)
        blocks.append(block)
        self._head += size
        return block

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
