"""Keeps its cache beside the program."""

import os

from clean import Server, run

if os.environ.get("READ_ONLY_ROOT"):  # what the kernel says where the root is read-only
    print("OSError: [Errno 30] Read-only file system: '/opt/program/cache'", flush=True)
    raise SystemExit(1)
run(Server)
