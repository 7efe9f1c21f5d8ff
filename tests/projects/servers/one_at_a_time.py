"""One thread for everything: a health check waits for the invocations before it."""

import threading
import time

from clean import Server, run

turn = threading.Lock()


class OneAtATime(Server):
    def ping(self):
        with turn:
            super().ping()

    def invoke(self, content_type, body):
        with turn:
            answer = super().invoke(content_type, body)
            time.sleep(0.8)
            return answer


run(OneAtATime)
