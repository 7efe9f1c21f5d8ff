"""Loads one model for each of many workers."""

import os

from clean import Server, run

if os.environ.get("OTHER_USER"):  # what Python says where no more is to be had
    print("MemoryError", flush=True)
    raise SystemExit(1)
run(Server)
