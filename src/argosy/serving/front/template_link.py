"""The front's end of the control socket to the template process."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import orjson

from argosy.serving.model.template import REQUEST

Listener = Callable[[dict[str, Any]], None]


class TemplateLink:
    """One template process as the front knows it.

    Args:
        pid: Its process id.
        control: The front's end of the control socket.
        on_message: Called with each JSON line it sends.
        on_lost: Called once when it is gone.
    """

    def __init__(self, pid: int, control: socket.socket, on_message: Listener, on_lost: Callable[[], None]) -> None:
        self.pid = pid
        self._control = control
        self._control.setblocking(False)
        self._on_message = on_message
        self._on_lost = on_lost
        self._rest = b""
        asyncio.get_running_loop().add_reader(control, self._read)

    def fork(self, number: int) -> socket.socket | None:
        """Ask for a model process.

        Returns:
            The front's end of the socket pair to it, or None when the template is gone.
        """
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        try:
            socket.send_fds(self._control, [REQUEST.pack(number)], [theirs.fileno()])
        except OSError:
            ours.close()
            return None
        finally:
            theirs.close()
        return ours

    def close(self) -> None:
        """Let the template end; model processes that run are not touched."""
        if self._control.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()

    def _read(self) -> None:
        try:
            chunk = self._control.recv(65_536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self.close()
            self._on_lost()
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._on_message(orjson.loads(line))
