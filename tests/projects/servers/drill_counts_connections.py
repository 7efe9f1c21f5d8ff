"""Never gets back the room of a connection that was closed without a request."""

import threading

from clean import Server, run

closed = 0
turn = threading.Lock()
forever = threading.Event()


class Counting(Server):
    def handle_one_request(self):
        global closed
        super().handle_one_request()
        if not self.raw_requestline:
            with turn:
                closed += 1

    def do_POST(self):
        if closed > 60:
            forever.wait()
        super().do_POST()


run(Counting)
