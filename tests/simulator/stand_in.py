"""A stand-in for an inference container, run as a real process: `stand_in.py PORT`. Standard library only.

`/invocations` answers with the request's body. A body that holds one of these words is treated otherwise:
`STATUS-404` answers that status, `DROP` closes the connection, `SLOW` answers after STAND_IN_SLOW_S, `FLAKY` answers
500 the first time that this very body comes, `JITTER` answers after a random moment, `DOUBLE` answers the body twice,
`EXIT` ends the process, `FLOOD` has it write 2 MB to stderr first, `COMPLAIN` one line. A body that begins with
`STREAM` is answered with its other words, one by one in chunks; the word `BREAK` drops the connection there, and `WAIT`
keeps what follows back for STAND_IN_SLOW_S. GET `/requests` lists the requests so far, without this one.

STAND_IN_MODE: `ready` (default), `never-ready`, `crash` (exits 3 at once), `deaf` (ignores SIGTERM), `sick` (healthy
until it was invoked once), `hanging-ping`. STAND_IN_PARAMETERS: body of `/execution-parameters`; without it 404.
STAND_IN_HEADERS: JSON object of headers added to each answer of `/invocations`. STAND_IN_DIARY: file that outlives it;
a line of JSON for its environment, one for each request, and one for SIGTERM. STAND_IN_EMPTY: the answer to an empty
body.
"""

import hashlib
import http.server
import json
import os
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

MODE = os.environ.get("STAND_IN_MODE", "ready")
SLOW_S = float(os.environ.get("STAND_IN_SLOW_S", "30"))
PARAMETERS = os.environ.get("STAND_IN_PARAMETERS")
HEADERS = json.loads(os.environ.get("STAND_IN_HEADERS", "{}"))
DIARY = os.environ.get("STAND_IN_DIARY")
EMPTY = os.environ.get("STAND_IN_EMPTY", "").encode()
COMMAND_BYTES = 65536

requests: list[dict[str, object]] = []
seen: set[str] = set()
lock = threading.Lock()
concurrent = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait for an ACK

    def do_GET(self) -> None:
        if self.path == "/requests":
            self.answer(200, json.dumps(requests).encode())
            return
        self.record(hashlib.sha256().hexdigest(), 0)
        if self.path == "/ping":
            if MODE == "hanging-ping":
                time.sleep(SLOW_S)
            sick = MODE == "never-ready" or (MODE == "sick" and len(seen) > 0)
            self.answer(503 if sick else 200, b"")
        elif self.path == "/execution-parameters" and PARAMETERS is not None:
            self.answer(200, PARAMETERS.encode(), "application/json")
        else:
            self.answer(404, b"")

    def do_POST(self) -> None:
        global concurrent
        body, size, digest = self.read_body()
        with lock:
            concurrent += 1
        self.record(digest, size)
        flaky = digest not in seen
        seen.add(digest)
        if b"SLOW" in body:
            time.sleep(SLOW_S)
        if b"JITTER" in body:
            time.sleep(random.random() / 50)
        with lock:
            concurrent -= 1
        if b"FLOOD" in body:
            sys.stderr.write("complaint\n" * 200_000)
        if b"COMPLAIN" in body:
            sys.stderr.write("complaint\n")
        if b"EXIT" in body:
            os._exit(9)
        if b"DROP" in body:
            self.close_connection = True
            return
        if body.startswith(b"STREAM"):
            self.stream(body.split()[1:])
            return
        status = re.search(rb"STATUS-(\d+)", body)
        code = int(status.group(1)) if status else 500 if flaky and b"FLAKY" in body else 200
        body *= 2 if b"DOUBLE" in body else 1
        self.answer(code, body or EMPTY, self.headers.get("Content-Type"), HEADERS)

    def read_body(self) -> tuple[bytes, int, str]:
        """The body as far as it is kept, its whole length and its digest; bodies above 64 MB are not kept whole."""
        kept, size, digest = bytearray(), 0, hashlib.sha256()
        for part in self.parts():
            size += len(part)
            digest.update(part)
            if len(kept) < 64 * 2**20:
                kept += part
        return bytes(kept), size, digest.hexdigest()

    def parts(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            part = self.rfile.read(min(left, COMMAND_BYTES))
            left -= len(part)
            yield part

    def record(self, digest: str, size: int) -> None:
        with lock:
            requests.append(
                {
                    "method": self.command,
                    "path": self.path,
                    "headers": [[name, value] for name, value in self.headers.items()],
                    "size": size,
                    "digest": digest,
                    "concurrent": concurrent,
                }
            )
            note({**requests[-1], "pid": os.getpid()})

    def answer(
        self, status: int, body: bytes, content_type: str | None = None, extra: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, words: list[bytes]) -> None:
        self.send_response(200)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in words:
            if word == b"BREAK":
                self.close_connection = True
                return
            if word == b"WAIT":
                self.await_end(SLOW_S)
                continue
            self.wfile.write(b"%x\r\n%b\r\n" % (len(word), word))
        self.wfile.write(b"0\r\n\r\n")

    def await_end(self, longest_s: float) -> None:
        """Wait until the client closes the connection, which is told in the list of requests, or time is over."""
        self.connection.settimeout(longest_s)
        try:
            self.connection.recv(1)
        except TimeoutError:
            return
        with lock:
            requests.append({"method": "CLOSED", "path": self.path})

    def log_message(self, template: str, *args: object) -> None:
        pass


def note(happened: dict[str, object]) -> None:
    if DIARY:
        with Path(DIARY).open("a") as diary:
            diary.write(json.dumps(happened) + "\n")


def end(*_: object) -> None:
    note({"ended by": "SIGTERM"})
    sys.exit(0)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    print("stand-in starts", flush=True)
    note({"pid": os.getpid(), "environment": dict(os.environ)})
    if MODE == "crash":
        print("no such file: model.joblib", file=sys.stderr, flush=True)
        sys.exit(3)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if MODE == "deaf" else end)
    Server(("0.0.0.0" if os.environ.get("STAND_IN_ANY") else "127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
