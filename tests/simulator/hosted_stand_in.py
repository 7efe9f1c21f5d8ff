"""A stand-in for a container of many models, or of a model with adapters: `hosted_stand_in.py PORT`, a real process.

Standard library only. What is loaded answers with JSON: its name, the text in its artifacts' file `text`, the request's
header fields and body. HOSTED_ROOM: how many can be loaded at a time (507 above it); HOSTED_GATE: a file, without which
loading waits; a file `refuse` in the artifacts has its content as the status of loading. A body `forget` makes the
process forget what it is for (404), once, and `vanish` each time; `full` is answered with 507 as long as something else
is loaded; `status N` answers N. GET /seen lists what was asked, GET /loaded what is loaded.
"""

import http.server
import json
import os
import re
import signal
import sys
import threading
import time
import urllib.parse
from pathlib import Path

ROOM = int(os.environ.get("HOSTED_ROOM", "1000"))
GATE = os.environ.get("HOSTED_GATE")

loaded: dict[str, Path] = {}
seen: list[str] = []
forgotten: set[str] = set()
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        if self.path == "/seen":
            self.answer(200, json.dumps(seen).encode())
        elif self.path == "/loaded":
            self.answer(200, json.dumps(sorted(path.as_posix() for path in loaded.values())).encode())
        else:
            self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        if path in ("/models", "/adapters"):
            told = dict(urllib.parse.parse_qsl(query)) if query else json.loads(body)
            name = told["model_name"] if path == "/models" else told["name"]
            source = Path(told["url"] if path == "/models" else told["src"])
            text = (source / "text").read_text() if source.is_dir() else None
            seen.append(f"POST {path} {text} {sorted(told)}{' in the query' if query else ''}")
            self.load(name, source)
            return
        model = re.fullmatch(r"/models/(\w+)/invoke", path)
        name = model.group(1) if model else self.headers.get("X-Amzn-SageMaker-Adapter-Identifier", "")
        seen.append(f"POST invocation {body.decode()[:30]}")
        self.invoke(name, body)

    def do_DELETE(self) -> None:
        with lock:
            folder = loaded.pop(self.path.rpartition("/")[2], None)
        seen.append(f"DELETE {self.path.split('/')[1]}")
        self.answer(404 if folder is None else 200, b"")

    def load(self, name: str, folder: Path) -> None:
        while GATE and not Path(GATE).exists():
            time.sleep(0.01)
        refusal = folder / "refuse"
        if refusal.exists():
            self.answer(int(refusal.read_text()), b"cannot load it")
            return
        with lock:
            status = 409 if name in loaded else 507 if len(loaded) >= ROOM else 200
            if status == 200:
                loaded[name] = folder
        self.answer(status, b"")

    def invoke(self, name: str, body: bytes) -> None:
        command = body.decode()
        if command == "vanish" or (command == "forget" and name not in forgotten):
            loaded.pop(name, None)
            forgotten.add(name)
        if name and name not in loaded:
            self.answer(404, f"{name} is not loaded".encode())
            return
        if command == "full" and len(loaded) > 1:
            self.answer(507, b"no memory")
            return
        status = int(command.removeprefix("status ")) if command.startswith("status ") else 200
        text = (loaded[name] / "text").read_text() if name else None
        fields = {key.lower(): value for key, value in self.headers.items()}
        told = {"name": name, "text": text, "path": self.path, "headers": fields, "body": command}
        self.answer(status, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, template: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    print("hosted stand-in starts", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
