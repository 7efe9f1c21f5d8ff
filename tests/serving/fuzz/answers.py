"""What a server may say to any bytes at all."""

import re
from typing import Final

ALLOWED: Final = {
    100: "asked to continue, and does",
    200: "the input was a good request after all",
    400: "no HTTP, or a body that is not what its Content-Type says",
    404: "no such path, model, adapter or session",
    405: "another method is wanted",
    406: "nothing to answer with that Accept allows",
    408: "the rest of the request did not come in time",
    413: "the body is too large",
    414: "the target is too long",
    415: "no codec for the Content-Type or Content-Encoding",
    417: "an expectation that the server does not know",
    426: "the path wants a WebSocket",
    431: "the header fields are too large",
    501: "a transfer coding other than chunked: not implemented, and said so (RFC 9112 6.1)",
}
"""Status -> what it means here. The predictor never fails, so each 500 would be the server's own, and so would 503."""

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) [ -~]*\r\n")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
_CHUNK: Final = re.compile(rb"([0-9a-fA-F]+)\r\n")


def statuses(received: bytes) -> list[int]:
    """The statuses of the answers that came over one connection, in order.

    An answer to HEAD has a length and no body: the next answer, or nothing, then follows its head.

    Raises:
        ValueError: What came is no sequence of whole HTTP answers.
    """
    found = []
    place = 0
    while place < len(received):
        line = _STATUS_LINE.match(received, place)
        end = received.find(b"\r\n\r\n", place)
        if line is None or end < 0:
            raise ValueError("no status line, or a head without an end")
        head = received[place : end + 4]
        status = int(line.group(1))
        found.append(status)
        place = end + 4
        if status >= 200 and place < len(received) and not _STATUS_LINE.match(received, place):
            place = _after_body(received, place, head)
    return found


def _after_body(received: bytes, place: int, head: bytes) -> int:
    if _CHUNKED.search(head):
        while chunk := _CHUNK.match(received, place):
            size = int(chunk.group(1), 16)
            place = chunk.end() + size + 2
            if not size:
                return place
        raise ValueError("a chunked body without an end")
    length = _LENGTH.search(head)
    if length is None:
        return len(received)  # until the connection ends, as HTTP/1.0 does it
    end = place + int(length.group(1))
    if end > len(received):
        raise ValueError("a body that is shorter than its Content-Length")
    return end
