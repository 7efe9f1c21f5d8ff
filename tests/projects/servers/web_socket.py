"""Holds conversations over WebSocket, frame by frame."""

import base64
import hashlib

from clean import Server, run

PING, PONG, CLOSE = 9, 10, 8


class WebSocket(Server):
    def do_GET(self):
        if self.path == "/invocations-bidirectional-stream" and self.headers.get("Upgrade") == "websocket":
            self.converse()
        else:
            super().do_GET()

    def converse(self):
        key = self.headers["Sec-WebSocket-Key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while len(head := self.rfile.read(6)) == 6 and head[0] & 15 != CLOSE:
            mask = head[2:]
            payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self.rfile.read(head[1] & 127)))
            if head[0] & 15 == PING:
                self.pong(payload)

    def pong(self, payload):
        self.wfile.write(bytes((128 | PONG, len(payload))) + payload)
        self.wfile.flush()


if __name__ == "__main__":
    run(WebSocket)
