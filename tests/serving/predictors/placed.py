"""A predictor that tells where it has been put."""

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from argosy import Predictor

PLACES = ("/", "/tmp", "/root", "/mnt", "/var/tmp", "/opt", str(Path(__file__).parent))


class Placed(Predictor):
    """Does what the body says."""

    def predict(self, inputs: dict[str, Any]) -> Any:
        match inputs["do"]:
            case "answer":
                return "x" * inputs["bytes"]
            case "exit":
                os._exit(3)
            case "orphan":  # its parent ends at once, and whoever is PID 1 inherits it
                subprocess.run(["sh", "-c", "sleep 1 &"], check=True)
        shm = os.statvfs("/dev/shm")
        return {
            "uid": os.getuid(),
            "writable": [place for place in PLACES if os.access(place, os.W_OK)],
            "networks": [name for _, name in socket.if_nameindex()],
            "shm_mb": shm.f_blocks * shm.f_frsize // 2**20,
            "pid_1": Path("/proc/1/cmdline").read_text().rstrip("\0").rpartition("\0")[2],
        }
