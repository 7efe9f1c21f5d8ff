"""Frames, judged by wsproto, and what a server may not send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameDecoder, FrameProtocol

from argosy.simulator.runtime import web_socket
from argosy.simulator.runtime.web_socket import Decoder, Frame, FrameError, Opcode, close_frame, closing

DATA = st.sampled_from([Opcode.TEXT, Opcode.BINARY])
PAYLOADS = st.one_of(st.binary(max_size=200), st.integers(126, 70_000).map(bytes))


@given(DATA, PAYLOADS, st.booleans(), st.binary(min_size=4, max_size=4))
def test_wsproto_reads_what_is_encoded(opcode: Opcode, payload: bytes, is_final: bool, mask: bytes) -> None:
    judge = FrameDecoder(client=False)
    judge.receive_bytes(web_socket.encode(Frame(opcode, payload, is_final), mask))
    found = bytearray()
    while True:
        frame = judge.process_buffer()
        assert frame is not None
        assert int(frame.opcode) in (opcode, Opcode.CONTINUATION)
        assert isinstance(frame.payload, bytes | bytearray)
        found += frame.payload
        if frame.frame_finished:
            break
    assert bytes(found) == payload
    assert frame.message_finished == is_final


@given(st.lists(st.tuples(st.binary(max_size=300), st.booleans()), max_size=5), st.integers(1, 50))
def test_what_wsproto_sends_is_read_however_it_is_cut(parts: list[tuple[bytes, bool]], size: int) -> None:
    judge = FrameProtocol(client=False, extensions=[])
    sent = b"".join(judge.send_data(payload, fin=is_final) for payload, is_final in parts)
    decoder = Decoder()
    found = [frame for start in range(0, len(sent), size) for frame in decoder.feed(sent[start : start + size])]
    assert [(frame.payload, frame.is_final) for frame in found] == parts
    begins = [True, *(is_final for _, is_final in parts)]
    expected = [Opcode.BINARY if begin else Opcode.CONTINUATION for begin in begins[: len(parts)]]
    assert [frame.opcode for frame in found] == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x83\x00", "reserved opcode"),
        (b"\xc1\x00", "reserved bit"),
        (b"\x81\x80abcd", "masked"),
        (b"\x09\x00", "control frame"),
        (b"\x88\x7e\x00\x80", "control frame"),
        (b"\x80\x00", "a continuation of nothing"),
        (b"\x01\x00\x01\x00", "a message begins within another"),
        (b"\x82\x7f" + bytes([0, 0, 0, 0, 2, 0, 0, 0]), "a frame of 33554432 bytes"),
    ],
)
def test_what_a_server_may_not_send_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(FrameError, match=text):
        list(Decoder().feed(data))


@given(st.integers(1000, 4999), st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_close_frame_holds_its_code_and_as_much_of_the_reason_as_fits(code: int, reason: str) -> None:
    frame = close_frame(code, reason)
    assert len(frame.payload) <= 125
    found, text = closing(frame)
    assert found == code
    assert reason.startswith(text)
    assert text == reason or len(reason.encode()) > 120


def test_a_close_frame_may_say_nothing() -> None:
    assert closing(Frame(Opcode.CLOSE)) == (web_socket.NO_STATUS, "")
