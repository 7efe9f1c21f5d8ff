"""Answers one of the requests that are under way when SIGTERM comes, and drops the others."""

import os
import threading

from clean import Server, run

stopping = threading.Event()
answering = threading.Lock()


class Dropping(Server):
    def do_POST(self):
        super().do_POST()
        if stopping.is_set():
            answering.acquire()
            self.wfile.flush()
            self.connection.close()
            os._exit(0)


run(Dropping, on_sigterm=lambda *_: stopping.set())
