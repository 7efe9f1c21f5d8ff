"""uvicorn's HTTP protocol class, mended: a request that asks for another protocol in vain keeps its body.

A server may ignore Upgrade and answer the request as it is (RFC 9110, section 7.8), and clients count on it: Java's
HttpClient sends `Upgrade: h2c` by itself. httptools takes each request with Upgrade for whole behind its head and reads
no further (`HttpParserUpgrade`, https://github.com/MagicStack/httptools/issues/124). uvicorn goes on with that parser,
which takes the body for the next request: it is lost, and often the answer is 400
(https://github.com/Kludex/uvicorn/issues/2722). All read 2026-11-23; seen with uvicorn 0.54 and httptools 0.9.

Here a fresh parser is shown the head without Upgrade, so that it knows how the body is framed, and reads on from there.
A request without Upgrade is parsed as by uvicorn, with no more work. CONNECT is declined the same way.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OF_HEAD = ("on_message_begin", "on_url", "on_header", "on_headers_complete")
_OF_BODY = ("on_body", "on_message_complete")


class HttpProtocol(HttpToolsProtocol):
    """The class for uvicorn's `http=` option."""

    def data_received(self, data: bytes) -> None:
        """Parse bytes; what is no HTTP is answered with 400."""
        self._unset_keepalive_if_required()
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._parse_behind_upgrade(memoryview(data), upgrade)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def go_on_without_upgrade(self) -> None:
        """Take back that the request was whole behind its head, and read on with a parser that expects its body."""
        self.cycle.more_body = True
        self.cycle.message_event.clear()  # the application has not run since
        version = self.parser.get_http_version().encode()
        fields = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
        is_past_head = False

        def heard_behind_head(callback: Callable[..., None]) -> Callable[..., None]:
            def call(*said: Any) -> None:
                if is_past_head:
                    callback(*said)

            return call

        callbacks = {name: heard_behind_head(getattr(self, name)) for name in _OF_HEAD}
        callbacks |= {name: getattr(self, name) for name in _OF_BODY}  # without a body the request ends with its head
        self.parser = httptools.HttpRequestParser(SimpleNamespace(**callbacks))
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.parser.feed_data(b"POST / HTTP/%b\r\n%b\r\n" % (version, fields))  # no method but CONNECT matters to it
        is_past_head = True

    def _parse_behind_upgrade(self, data: memoryview, upgrade: httptools.HttpParserUpgrade) -> None:
        """Parse what follows a head with Upgrade; more of these may follow.

        Raises:
            httptools.HttpParserError: The bytes are no HTTP.
        """
        left, asked = data, upgrade
        while not self._should_upgrade():
            left = left[asked.args[0] :]
            self.go_on_without_upgrade()
            try:
                self.parser.feed_data(left)
            except httptools.HttpParserUpgrade as again:
                asked = again
            else:
                return
        self.handle_websocket_upgrade()
