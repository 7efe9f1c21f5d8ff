"""Lays the model folder out as the toolkit wants it and starts multi-model-server."""

import os
import shutil
from pathlib import Path

HERE, SCRATCH = Path(__file__).parent, Path(os.environ["SCRATCH"])
code = SCRATCH / "model/code"
code.mkdir(parents=True)
shutil.copy(HERE / "server.py", code / "server.py")
shutil.copy(HERE.parent.parent / "work.py", code / "work.py")
os.environ |= {
    "SAGEMAKER_BASE_DIR": str(SCRATCH),
    "SAGEMAKER_BIND_TO_PORT": os.environ["PORT"],
    "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    "SAGEMAKER_PROGRAM": "server.py",
    "SAGEMAKER_CONTAINER_LOG_LEVEL": "40",
    "AWS_DEFAULT_REGION": "us-east-1",
    "TEMP": str(SCRATCH),
}
os.chdir(SCRATCH)

from sagemaker_inference import model_server  # type: ignore[import-not-found]  # this peer's  # noqa: E402 - reads the variables above

model_server.start_model_server()
