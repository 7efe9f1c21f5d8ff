"""Leaves its PID file behind, and takes it for another server at the next start."""

import os
from pathlib import Path

from clean import Server, run

pid_file = Path(os.environ["OWN_FILES"]) / "server.pid"
if pid_file.exists():
    raise SystemExit(f"already running with pid {pid_file.read_text()}")
pid_file.write_text(str(os.getpid()))
run(Server)
