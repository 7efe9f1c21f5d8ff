"""Loses a worker with every client that leaves before it is answered."""

import socket
import threading
import time

from clean import Refused, Server, run

workers = threading.Semaphore(3)


class LeaksWorkers(Server):
    def invoke(self, content_type, body):
        if not workers.acquire(timeout=0.5):
            raise Refused(500, "no worker is left")
        time.sleep(0.05)
        if not self.is_there():
            raise Refused(499, "the client has left")
        workers.release()
        return super().invoke(content_type, body)

    def is_there(self):
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True


run(LeaksWorkers)
