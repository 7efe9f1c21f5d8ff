"""A container that speaks WebSocket, frame by frame: `web_socket_stand_in.py PORT`. Standard library only.

Each data frame comes back as it was: its opcode, its FIN bit, its bytes. A text frame that holds one of these words is
treated otherwise: `CLOSE code reason` closes, `PING` sends a ping and then the payload of the pong that answers it,
`DROP` ends the connection, `RESERVED` sends a frame with an opcode that does not exist, `HEAD` sends back the request's
first line and header fields as JSON. The path `/refuse` answers 403 with a body, `/silent` answers no frame at all.
A client's Close frame is answered by a text frame `bye CODE` first, then by a Close frame.
"""

import base64
import hashlib
import http.server
import json
import struct
import sys
from io import BufferedIOBase


def read_frame(source: BufferedIOBase) -> tuple[int, bool, bytes] | None:
    head = source.read(2)
    if len(head) < 2:
        return None
    size = head[1] & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", source.read(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", source.read(8))
    if not head[1] & 0x80:
        raise ValueError("a client must mask its frames")
    mask = source.read(4)
    payload = source.read(size)
    whole = (
        bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)) if size < 10_000 else fast(payload, mask)
    )
    return head[0] & 0x0F, bool(head[0] & 0x80), whole


def fast(payload: bytes, mask: bytes) -> bytes:
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(len(payload), "little")


def frame(opcode: int, payload: bytes, is_final: bool = True) -> bytes:
    size = len(payload)
    length = (
        bytes([size])
        if size < 126
        else b"\x7e" + struct.pack("!H", size)
        if size < 65536
        else b"\x7f" + struct.pack("!Q", size)
    )
    return bytes([opcode | (0x80 if is_final else 0)]) + length + payload


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/ping" or "Upgrade" not in self.headers:
            self.answer(200, b"")
        elif path == "/refuse":
            self.answer(403, b"not to you")
        else:
            self.upgrade()
            self.converse(is_silent=path == "/silent")
            self.close_connection = True

    def upgrade(self) -> None:
        key = self.headers["Sec-WebSocket-Key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key).digest()).decode())
        self.end_headers()

    def converse(self, is_silent: bool) -> None:
        while (found := read_frame(self.rfile)) is not None:
            opcode, is_final, payload = found
            if is_silent:
                continue
            if opcode == 8:
                self.wfile.write(frame(1, b"bye %d" % int.from_bytes(payload[:2], "big")) + frame(8, payload[:2]))
                return
            if opcode == 9:
                self.wfile.write(frame(10, payload))
            elif opcode == 10:
                self.wfile.write(frame(2, b"pong " + payload))
            elif opcode == 1 and not self.obey(payload):
                return
            elif opcode != 1 or not payload.startswith((b"PING", b"HEAD")):
                self.wfile.write(frame(opcode, payload, is_final))

    def obey(self, payload: bytes) -> bool:
        """Whether the conversation goes on."""
        word, _, rest = payload.partition(b" ")
        if word == b"CLOSE":
            code, _, reason = rest.partition(b" ")
            self.wfile.write(frame(8, int(code).to_bytes(2, "big") + reason))
            read_frame(self.rfile)
            return False
        if word == b"DROP":
            return False
        if word == b"RESERVED":
            self.wfile.write(frame(3, b""))
            read_frame(self.rfile)
            return False
        if word == b"PING":
            self.wfile.write(frame(9, rest))
        if word == b"HEAD":
            head = {"path": self.path, "headers": {name.lower(): value for name, value in self.headers.items()}}
            self.wfile.write(frame(1, json.dumps(head).encode()))
        return True

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, template: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
