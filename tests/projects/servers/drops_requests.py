"""Ends at once when it is told to stop, whatever is under way."""

import os

from clean import Server, run

run(Server, on_sigterm=lambda *_: os._exit(0))
