"""Frames of event streams, judged by botocore's parser."""

import struct
import zlib

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from argosy.simulator.runtime import event_stream
from argosy.simulator.runtime.event_stream import Decoder, FramingError, Message

NAMES = st.text(min_size=1, max_size=20)
HEADERS = st.dictionaries(NAMES, st.text(max_size=50), max_size=5)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    parts, rest = [], data
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return [*parts, rest]


@given(HEADERS, st.binary(max_size=300))
def test_botocore_reads_what_is_encoded(headers: dict[str, str], payload: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(event_stream.encode(headers, payload))
    (message,) = list(buffer)
    assert message.headers == headers
    assert message.payload == payload


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=100)), max_size=4), st.lists(st.integers(0, 60), max_size=8))
def test_what_is_encoded_is_decoded_however_it_is_cut(
    messages: list[tuple[dict[str, str], bytes]], sizes: list[int]
) -> None:
    decoder = Decoder()
    stream = b"".join(event_stream.encode(headers, payload) for headers, payload in messages)
    found = [message for part in cut(stream, sizes) for message in decoder.feed(part)]
    assert found == [Message(headers, payload) for headers, payload in messages]
    assert decoder.is_between_messages


def test_header_values_of_other_types_are_kept_as_bytes() -> None:
    block = b"\x01t\x00" + b"\x01b\x02\x07" + b"\x05:date\x08" + bytes(8) + b"\x01s\x06\x00\x02ab"
    lengths = (16 + len(block)).to_bytes(4, "big") + len(block).to_bytes(4, "big")
    frame = lengths + zlib.crc32(lengths).to_bytes(4, "big") + block
    frame += zlib.crc32(frame).to_bytes(4, "big")
    (message,) = Decoder().feed(frame)
    assert message.headers == {"t": b"", "b": b"\x07", ":date": bytes(8), "s": b"ab"}
    assert message.text("s") is None


@given(st.binary(max_size=100), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed(payload: bytes, place: int, change: int) -> None:
    frame = bytearray(event_stream.encode({":event-type": "PayloadPart"}, payload))
    frame[place % len(frame)] ^= change
    with pytest.raises(FramingError):
        list(Decoder().feed(bytes(frame)))


def test_a_frame_that_announces_too_much_is_refused_before_it_came() -> None:
    with pytest.raises(FramingError):
        lengths = struct.pack("!II", 2**31, 0)
        list(Decoder().feed(lengths + struct.pack("!I", zlib.crc32(lengths))))
