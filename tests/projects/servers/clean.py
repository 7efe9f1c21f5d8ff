"""A small inference server that keeps the contract: rows of numbers in, their sums out."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL_DIR = Path(os.environ.get("MODEL_DIR", "/opt/ml/model"))
LOAD_S = 0.3


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    loaded = threading.Event()

    def do_GET(self):
        if self.path == "/ping":
            self.ping()
        elif self.path == "/execution-parameters":
            self.execution_parameters()
        else:
            self.answer(404, {"error": "no such path"})

    def do_POST(self):
        body = self.body()
        if self.path == "/ping":
            self.ping()
            return
        if self.path != "/invocations":
            self.answer(404, {"error": "no such path"})
            return
        try:
            answer = self.invoke(self.headers.get("Content-Type"), body)
        except Refused as refused:
            self.answer(refused.status, {"error": str(refused)})
        else:
            self.answer(200, answer)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def ping(self):
        self.answer(200 if self.loaded.is_set() else 503, None)

    def execution_parameters(self):
        self.answer(200, {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 30})

    def invoke(self, content_type, body):
        return {"predictions": [sum(row) for row in self.rows(content_type, body)]}

    def rows(self, content_type, body):
        essence = (content_type or "application/json").partition(";")[0].strip().lower()
        try:
            if essence == "application/json":
                parsed = json.loads(body)
                rows = parsed["instances"] if isinstance(parsed, dict) else parsed
            elif essence == "text/csv":
                rows = [line.split(",") for line in body.decode().splitlines()]
            else:
                raise Refused(415, f"cannot read {essence}")
            return [[float(cell) for cell in row] for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(400, f"not rows of numbers: {type(error).__name__}") from error

    def answer(self, status, value):
        body = b"" if value is None else json.dumps(value).encode()
        if status >= 400 and self.path != "/ping":
            self.log(status, value)
        self.send_response(status)
        self.headers_of(status, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def headers_of(self, status, value):
        self.send_header("Content-Type", "application/json")

    def log(self, status, value):
        print(f"{self.path} was refused with {status}", file=sys.stderr, flush=True)

    def log_message(self, *arguments):
        pass


class Listener(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False  # the end waits for requests under way


def load(server):
    time.sleep(LOAD_S)
    server.loaded.set()


def run(server, *, load=load, on_sigterm=None, listener=Listener):
    with listener(("0.0.0.0", int(os.environ.get("PORT", "8080"))), server) as listening:
        stop = on_sigterm or (lambda *_: threading.Thread(target=listening.shutdown).start())
        signal.signal(signal.SIGTERM, stop)
        threading.Thread(target=load, args=(server,), daemon=True).start()
        listening.serve_forever(poll_interval=0.05)
    sys.exit(0)


if __name__ == "__main__":
    run(Server)
