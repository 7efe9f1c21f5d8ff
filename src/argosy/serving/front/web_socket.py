"""uvicorn's WebSocket on wsproto; imported only where that is installed.

One thing is done otherwise: a client that sends too large a message gets to read why the connection ends. Closing it
while there is more to read would reset it, and the Close frame might never arrive.
"""

from typing import Any

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto import events

from argosy.serving.frames import CloseCode


class WebSocket(WSProtocol):
    """uvicorn's protocol class; uvicorn makes the objects itself."""

    def handle_message(self, event: Any) -> None:
        """A message, or a part of one: what is too large is answered with Close, and the rest of it dropped."""
        size = len(event.data.encode()) if isinstance(event, events.TextMessage) else len(event.data)
        if self.buffer.length + size <= self.config.ws_max_size:
            super().handle_message(event)
            return
        reason = f"a message may have at most {self.config.ws_max_size} bytes"
        self.buffer.clear()
        self.close_sent = True  # from here on uvicorn drops all but the client's Close
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(CloseCode.TOO_LARGE), "reason": reason})
        if not self.transport.is_closing():
            self.transport.write(self.conn.send(events.CloseConnection(code=CloseCode.TOO_LARGE, reason=reason)))
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
