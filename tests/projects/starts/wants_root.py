"""Reads a file that root alone may read."""

import os

from clean import Server, run

if os.environ.get("OTHER_USER"):  # what the kernel says to any other user
    print("PermissionError: [Errno 13] Permission denied: '/root/.cache'", flush=True)
    raise SystemExit(1)
run(Server)
