"""Has eight slots, and keeps each until its client has read the answer and gone."""

import threading

from clean import Server, run

slots = threading.Semaphore(8)


class Waiting(Server):
    def do_POST(self):
        with slots:
            super().do_POST()
            self.wfile.flush()
            self.connection.recv(1)


run(Waiting)
