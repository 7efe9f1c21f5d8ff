"""Has eight threads, each of which has one connection from its first byte to its end."""

import threading

from clean import Listener, Server, run

threads = threading.Semaphore(8)


class FewThreads(Listener):
    def process_request_thread(self, request, address):
        with threads:
            super().process_request_thread(request, address)


run(Server, listener=FewThreads)
