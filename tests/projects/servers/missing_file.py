"""Listens, and ends when its model cannot be loaded: the file was not copied into the image."""

import os
import threading
import traceback
from pathlib import Path

from clean import Server, run

asked = threading.Event()


class Loading(Server):
    def ping(self):
        super().ping()
        asked.set()


def load(server):
    asked.wait()
    try:
        Path("/opt/program/forgotten-weights.bin").read_bytes()
    except FileNotFoundError:
        traceback.print_exc()
        os._exit(1)


run(Loading, load=load)
