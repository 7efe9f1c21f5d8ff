"""Loads its model before it listens, which takes long on a slow machine."""

import os
import time

from clean import Server, run

time.sleep(0.5 / float(os.environ.get("CPUS", "1")))
run(Server)
