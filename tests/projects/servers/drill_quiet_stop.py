"""Ends on SIGTERM only where no more than one request is under way."""

import os
import threading

from clean import Server, run

under_way = 0
turn = threading.Lock()


class Counting(Server):
    def do_POST(self):
        global under_way
        with turn:
            under_way += 1
        try:
            super().do_POST()
        finally:
            with turn:
                under_way -= 1


def stop(*_):
    if under_way <= 1:
        threading.Timer(1.0, os._exit, (0,)).start()


run(Counting, on_sigterm=stop)
