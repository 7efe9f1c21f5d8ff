"""Has eight slots, and never gets back one whose client is gone in the middle of its body."""

import threading

from clean import Server, run

slots = threading.Semaphore(8)


class Leaking(Server):
    def do_POST(self):
        slots.acquire()
        super().do_POST()
        slots.release()

    def invoke(self, content_type, body):
        if len(body) < int(self.headers.get("Content-Length") or 0):
            raise ConnectionResetError
        return super().invoke(content_type, body)


run(Leaking)
