"""Writes MLServer's two settings files into a folder and becomes MLServer."""

import json
import os
import shutil
import sys
from pathlib import Path

work, port = os.environ["WORK"], int(os.environ["PORT"])
folder = Path(os.environ["SCRATCH"])
shutil.copy(Path(__file__).parent / "server.py", folder / "server.py")
settings = {
    "debug": False,
    "host": "127.0.0.1",
    "http_port": port,
    "grpc_port": port + 1,
    "metrics_port": port + 2,
    "parallel_workers": 0 if work == "echo" else 1,
    "use_structured_logging": False,
}
runtime = {
    "echo": "server.Echo",
    "logistic": "mlserver_sklearn.SKLearnModel",
    "forest": "mlserver_sklearn.SKLearnModel",
}
model: dict[str, object] = {
    "name": "m",
    "implementation": runtime.get(work, "server.Runtime"),
    "parameters": {"uri": f"{os.environ['MODELS']}/{work}.joblib"},
}
if "MAX_BATCH" in os.environ:
    model |= {"max_batch_size": int(os.environ["MAX_BATCH"]), "max_batch_time": float(os.environ["MAX_WAIT_S"])}
(folder / "settings.json").write_text(json.dumps(settings))
(folder / "model-settings.json").write_text(json.dumps(model))
os.chdir(folder)
os.execv(Path(sys.executable).parent / "mlserver", ["mlserver", "start", str(folder)])
