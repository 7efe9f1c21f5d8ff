"""Takes requests after SIGTERM that it will never answer, and ends only seconds later."""

import os
import threading
import time

from clean import Server, run

stopping = threading.Event()


class Hanging(Server):
    def do_POST(self):
        if stopping.is_set():
            time.sleep(60)
        super().do_POST()


def stop(*_):
    stopping.set()
    threading.Timer(4.0, os._exit, (0,)).start()


run(Hanging, on_sigterm=stop)
