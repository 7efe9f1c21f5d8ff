"""Requests as pieces, wrong in one or several places, as bytes in one or several segments.

Everything comes from one seeded generator, so an input is named by its seed and number.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.serving import bodies

_GOOD: Final = [(name.encode(), make()) for name, make in bodies.GOOD.items()]
_PLAIN: Final = [pair for pair in _GOOD if len(pair[1]) < 100]

METHODS: Final = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"PROPFIND", b"M-SEARCH",
                  b"CONNECT", b"PRI", b"get", b"P OST", b"", b"\x00", b"G" * 300, b"POST\t", b"SOURCE")  # fmt: skip
TARGETS: Final = (
    b"/ping", b"/invocations", b"/execution-parameters", b"/metrics", b"/openapi.json", b"/models", b"/models/x",
    b"/models/x/invoke", b"/models/%2e%2e", b"/adapters", b"/adapters/a", b"/invocations-bidirectional-stream", b"/",
    b"*", b"http://elsewhere/ping", b"http://[::1/ping", b"/ping?x=1", b"/invocations?a=%zz", b"/ping#f", b"//ping",
    b"/invocations/", b"/ping\x7f", b"/\xff\xfe", b"/" + b"a" * 9000, b"", b"ping", b"/%00", b"/../ping", b"host:80",
)  # fmt: skip
VERSIONS: Final = (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.2", b"HTTP/3", b"HTTP/1.", b"HTTP/11", b"http/1.1",
                   b"", b"ICY", b"HTTP/1.1 ", b"HTTP/1.1 x", b"HTTP/99999999999.1", b"HTTP/-1.1")  # fmt: skip
NAMES: Final = (
    b"Content-Type", b"Accept", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect", b"Upgrade", b"Host",
    b"Content-Encoding", b"Accept-Encoding", b"X-Amzn-SageMaker-Inference-Id", b"X-Amzn-SageMaker-Custom-Attributes",
    b"X-Amzn-SageMaker-Session-Id", b"X-Amzn-SageMaker-Target-Model", b"X-Amzn-SageMaker-Adapter-Identifier", b"TE",
    b"X-Amzn-SageMaker-Accept", b"Cookie", b"X", b"", b" ", b"X Y", b"X\x00", b"X:", b"\xe9", b"(", b"Trailer", b"Via",
    b"Sec-WebSocket-Key", b"Sec-WebSocket-Version", b"HTTP2-Settings", b"x-" * 500, b"cOnTeNt-TyPe", b"Content_Type",
)  # fmt: skip
VALUES: Final = (
    b"", b" ", b"0", b"1", b"-1", b"+1", b"1_0", b"0x10", b"1e3", b"5, 5", b"5,6", b"99999999999999999999",
    b"2147483648", b"18446744073709551616", b"chunked", b"Chunked ", b"gzip, chunked", b"chunked, chunked",
    b"identity", b"gzip", b"x-gzip", b"deflate", b"br", b"zstd", b"close", b"keep-alive", b"keep-alive, close",
    b"upgrade", b"websocket", b"h2c", b"100-continue", b"101-dalmatians", b"*/*", b"*/*;q=0", b"text/*;q=1.1",
    b"application/json;q=nan", b";", b",", b"a/b;c", b"a/b;c=\"", b"a/b; charset=klingon", b"text/csv; charset=hex",
    b"text/csv; charset=undefined", b"application/json; charset=utf-16", b"text/csv;header=present",
    b"text/csv; charset=rot13", b"multipart/form-data", b"multipart/form-data; boundary=", b"image/*", b"image/png",
    b"\x00", b"\x01\x02", b"\xff\xfe", b"\x7f", b"\t", b"v" * 5000, b"v" * 70_000, b"a, " * 400, b"NEW_SESSION",
    b"../../etc/passwd", b"%00", b"\r", b"a\nb", b"a\r\n b",
)  # fmt: skip
GARBAGE: Final = (b"\r\n", b"\r\n\r\n", b"\n", b"\x00", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\xff" * 9,
                  b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"0\r\n\r\n", b"a" * 1000, b"GET ", b"{}",
                  b": \r\n")  # fmt: skip
CHUNK_SIZES: Final = (b"0", b"00000000000000000000", b"ffffffffffffffff", b"fffffffffffffffff", b"-1", b"0x3", b"G",
                      b"", b" 3", b"3 ", b"3;a=b", b"3;" + b"e" * 5000, b"7fffffff", b"80000000", b"3\x00")  # fmt: skip


@dataclass
class Message:
    """A request that was right once."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    version: bytes = b"HTTP/1.1"
    chunks: list[bytes] = field(default_factory=list)
    ends: bytes = b"\r\n"

    def to_bytes(self) -> bytes:
        """As it goes over the wire."""
        head = self.method + b" " + self.target + b" " + self.version + self.ends
        head += b"".join(name + b": " + value + self.ends for name, value in self.headers)
        return head + self.ends + (b"".join(self.chunks) or self.body)


@dataclass(frozen=True)
class Input:
    """What one connection is sent: segments, each after the server has read the one before."""

    segments: tuple[bytes, ...]
    valid: int
    """How many requests it holds when nothing in it is wrong; 0 when something is."""

    @property
    def whole(self) -> bytes:
        return b"".join(self.segments)


def generate(seed: int) -> Callable[[], Input]:
    """A source of inputs, the same for the same seed."""
    rng = random.Random(seed)
    return lambda: _input(rng)


def _input(rng: random.Random) -> Input:
    messages = [_message(rng) for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))]
    is_valid = rng.random() < 0.1
    if not is_valid:
        for message in messages:
            for _ in range(rng.choice((0, 1, 1, 2, 3))):
                rng.choice(_WRONG)(rng, message)
    whole = b"".join(message.to_bytes() for message in messages)
    if not is_valid and rng.random() < 0.4:
        whole = _broken(rng, whole)
    return Input(_segments(rng, whole), len(messages) if is_valid else 0)


def _message(rng: random.Random) -> Message:
    if rng.random() < 0.15:
        return Message(b"GET", rng.choice((b"/ping", b"/execution-parameters")), [(b"Host", b"x")], b"")
    content_type, body = rng.choice(_GOOD if rng.random() < 0.3 else _PLAIN)
    headers = [(b"Host", b"model.aws.local:8080"), (b"Content-Type", content_type)]
    if rng.random() < 0.3:
        headers.append((b"Accept", rng.choice((b"*/*", b"text/csv", b"application/json, text/csv;q=0.5"))))
    if rng.random() < 0.1:
        headers += [(b"Connection", b"Upgrade"), (b"Upgrade", rng.choice((b"h2c", b"websocket")))]
    if rng.random() < 0.2:
        message = Message(b"POST", b"/invocations", [*headers, (b"Transfer-Encoding", b"chunked")], b"")
        cut = rng.randrange(len(body) + 1)
        message.chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part]
        message.chunks.append(b"0\r\n\r\n")
        return message
    return Message(b"POST", b"/invocations", [*headers, (b"Content-Length", b"%d" % len(body))], body)


def _wrong_method(rng: random.Random, message: Message) -> None:
    message.method = rng.choice(METHODS)


def _wrong_target(rng: random.Random, message: Message) -> None:
    message.target = rng.choice(TARGETS)


def _wrong_version(rng: random.Random, message: Message) -> None:
    message.version = rng.choice(VERSIONS)


def _another_header(rng: random.Random, message: Message) -> None:
    place = rng.randrange(len(message.headers) + 1)
    message.headers.insert(place, (rng.choice(NAMES), rng.choice(VALUES)))


def _another_value(rng: random.Random, message: Message) -> None:
    if message.headers:
        place = rng.randrange(len(message.headers))
        message.headers[place] = (message.headers[place][0], rng.choice(VALUES))


def _header_twice(rng: random.Random, message: Message) -> None:
    if message.headers:
        message.headers.append(rng.choice(message.headers))


def _header_gone(rng: random.Random, message: Message) -> None:
    if message.headers:
        message.headers.pop(rng.randrange(len(message.headers)))


def _two_lengths(rng: random.Random, message: Message) -> None:
    length = len(message.body) + rng.choice((-1, 0, 1, 100, 200_000))
    coding = (b"Transfer-Encoding", rng.choice((b"chunked", b"gzip", b"chunked, identity", b"\x0bchunked")))
    message.headers.append(rng.choice((coding, (b"Content-Length", b"%d" % max(0, length)))))


def _wrong_chunk(rng: random.Random, message: Message) -> None:
    place = rng.randrange(len(message.chunks) + 1)
    message.chunks.insert(place, rng.choice(CHUNK_SIZES) + rng.choice((b"\r\n", b"\n", b"")) + b"abc\r\n")


def _trailers(rng: random.Random, message: Message) -> None:
    if message.chunks:
        message.chunks[-1] = b"0\r\n" + rng.choice(NAMES) + b": " + rng.choice(VALUES) + b"\r\n\r\n"


def _wrong_body(rng: random.Random, message: Message) -> None:
    message.body = _broken(rng, message.body)
    _set_length(message)


def _another_body(rng: random.Random, message: Message) -> None:
    message.body = rng.choice((b"", b"null", b"[" * 2000, b'{"a":' * 600, b"1e400", b"[1e-400]", b"\xef\xbb\xbf[1]",
                               b'"\xed\xa0\x80"', b"[NaN]", b'{"instances": null}', b"9" * 400, b",,,\n,,,\n",
                               b'"' * 999, b"\n" * 500, b"1 1:1 1:1\n", b"1 4294967296:1\n",
                               b"\x93NUMPY\x01\x00\xff\xff", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"PAR1PAR1",
                               rng.randbytes(64)))  # fmt: skip
    _set_length(message)


def _set_length(message: Message) -> None:
    message.headers = [
        (name, b"%d" % len(message.body) if name == b"Content-Length" else value) for name, value in message.headers
    ]


def _line_ends(rng: random.Random, message: Message) -> None:
    message.ends = rng.choice((b"\n", b"\r", b"\r\r\n", b"\n\n", b" \r\n"))


_WRONG: Final = (
    _wrong_method, _wrong_target, _wrong_target, _wrong_version, _another_header, _another_header, _another_value,
    _another_value, _header_twice, _header_gone, _two_lengths, _wrong_chunk, _trailers, _wrong_body, _wrong_body,
    _another_body, _another_body, _line_ends,
)  # fmt: skip


def _broken(rng: random.Random, text: bytes) -> bytes:
    """One to three bytes or stretches changed, added, removed, doubled; or cut short at any byte."""
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(text) + 1)
        end = min(len(text), place + rng.choice((1, 1, 2, 8, 64)))
        match rng.randrange(6):
            case 0:
                text = text[:place]
            case 1:
                text = text[:place] + text[end:]
            case 2:
                text = text[:place] + rng.choice(GARBAGE) + text[place:]
            case 3:
                text = text[:place] + rng.randbytes(end - place) + text[end:]
            case 4:
                text = text[:end] + text[place:]
            case 5:
                text += rng.choice(GARBAGE)
    return text


def _segments(rng: random.Random, whole: bytes) -> tuple[bytes, ...]:
    if not whole or rng.random() < 0.8:
        return (whole,)
    cuts = sorted(rng.randrange(len(whole) + 1) for _ in range(rng.choice((1, 1, 2))))
    return tuple(whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True))
