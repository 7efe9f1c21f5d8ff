"""Has room for 60 connections, and lets the others wait."""

import threading

from clean import Listener, Server, run

room = threading.Semaphore(60)


class FewConnections(Listener):
    def process_request_thread(self, request, address):
        with room:
            super().process_request_thread(request, address)


run(Server, listener=FewConnections)
