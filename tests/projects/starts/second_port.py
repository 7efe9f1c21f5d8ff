"""Uses one more port, which it has fixed."""

import os
import socket

from clean import Server, run

if "SAGEMAKER_SAFE_PORT_RANGE" in os.environ:
    metrics = socket.socket()
    metrics.bind(("127.0.0.1", int(os.environ["USUAL_PORT"])))
run(Server)
