"""Listens where it always does."""

import os

from clean import Server, run

os.environ["PORT"] = os.environ.get("USUAL_PORT", os.environ["PORT"])
run(Server)
