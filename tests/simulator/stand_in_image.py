"""An image of the stand-in, built with `docker build`, for tests that need a real engine."""

import os
import shutil
import subprocess
from pathlib import Path

from argosy import contract, engine

FOUNDATION = "python:3.11-slim"
IMAGE = "argosy-test/stand-in:1"

_SERVE = '#!/bin/sh\nexec python3 -u /stand_in.py "${SAGEMAKER_BIND_TO_PORT:-8080}" "$@"\n'
_DOCKERFILE = f"""\
FROM {FOUNDATION}
LABEL {contract.LABEL_BIND_TO_PORT}=true
ENV STAND_IN_ANY=1
COPY stand_in.py /
COPY serve /usr/local/bin/
"""


def build(folder: Path) -> Path:
    """Build the image under the name `IMAGE` in Docker; returns it as a docker archive."""
    shutil.copy(Path(__file__).with_name("stand_in.py"), folder / "stand_in.py")
    (folder / "serve").write_text(_SERVE)
    (folder / "serve").chmod(0o755)
    (folder / "Dockerfile").write_text(_DOCKERFILE)
    subprocess.run(["docker", "build", "--quiet", "--tag", IMAGE, str(folder)], check=True, capture_output=True)
    archive = folder / "image.tar"
    engine.find("docker", os.environ).save(IMAGE, archive)
    return archive
