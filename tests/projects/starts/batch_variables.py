"""Knows one strategy of transform jobs, and no variable by which it is told of another."""

import os

from clean import Server, run

if os.environ.get("SAGEMAKER_BATCH_STRATEGY", "SingleRecord") != "SingleRecord":
    raise SystemExit("unknown strategy")
run(Server)
