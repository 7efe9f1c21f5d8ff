"""Listens, and ends when its model cannot be loaded: what it was pickled with is not installed."""

import importlib
import os
import threading
import traceback

from clean import Server, run

asked = threading.Event()


class Loading(Server):
    def ping(self):
        super().ping()
        asked.set()


def load(server):
    asked.wait()
    try:
        importlib.import_module("forgotten_requirement")
    except ModuleNotFoundError:
        traceback.print_exc()
        os._exit(1)


run(Loading, load=load)
