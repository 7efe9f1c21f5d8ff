"""Wants a GPU where there is none."""

import os

from clean import Server, run

if os.environ.get("OTHER_USER"):  # a serverless endpoint has none, and this machine may have one
    print("ImportError: libcuda.so.1: cannot open shared object file: No such file or directory", flush=True)
    raise SystemExit(1)
run(Server)
