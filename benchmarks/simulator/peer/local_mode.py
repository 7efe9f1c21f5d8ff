"""Local mode of AWS's SageMaker SDK, told line by line what to do. Runs with the SDK's own environment.

Reads one JSON object a line: `{"do": NAME, ...}`, and answers each with a line `RESULT {...}`. The SDK writes the
container's log to stdout, so that goes to stderr here.

    python local_mode.py IMAGE MODEL.tar.gz PORT ROW.csv
"""

import json
import os
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagemaker.local import LocalSession
from sagemaker.model import Model
from sagemaker.predictor import Predictor

IMAGE, ARTIFACTS, PORT, ROW = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]).read_bytes()
ROLE = "arn:aws:iam::123456789012:role/any"
SILENT = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
NAME = "bench"


def main() -> None:
    """Do what stdin says until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    session = LocalSession(sagemaker_config=SILENT)
    session.config = {"local": {"serving_port": PORT, "local_code": True}}
    model = Model(IMAGE, f"file://{ARTIFACTS}", ROLE, Predictor, sagemaker_session=session, name=NAME)
    told: dict[str, Callable[..., dict[str, float]]] = {
        "deploy": lambda: deploy(session, model),
        "invoke": lambda seconds: invoke(session, seconds),
        "delete": lambda: delete(session),
        "transform": lambda source, target, payload_mb: transform(session, model, source, target, payload_mb),
    }
    for line in sys.stdin:
        order = json.loads(line)
        answers.write(f"RESULT {json.dumps(told[order.pop('do')](**order))}\n")
        answers.flush()


def call(session: Any) -> None:
    """One invocation, its answer read."""
    client = session.sagemaker_runtime_client
    answer = client.invoke_endpoint(Body=ROW, EndpointName=NAME, ContentType="text/csv", Accept="text/csv")
    content = answer["Body"].read()
    answer["Body"].release_conn()
    assert content.count(b"\n") == 1, content


def deploy(session: Any, model: Any) -> dict[str, float]:
    """`Model.deploy` to its first answer."""
    started = time.perf_counter()
    model.deploy(initial_instance_count=1, instance_type="local", endpoint_name=NAME, wait=False)
    call(session)
    return {"seconds": time.perf_counter() - started}


def invoke(session: Any, seconds: float) -> dict[str, float]:
    """One invocation after the other."""
    times = []
    until = time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        call(session)
        times.append(time.perf_counter() - started)
    return {"p50_ms": 1000 * statistics.median(times)}


def delete(session: Any) -> dict[str, float]:
    """End the endpoint and its container."""
    session.sagemaker_client.delete_endpoint(NAME)
    session.sagemaker_client.delete_endpoint_config(NAME)
    return {}


def transform(session: Any, model: Any, source: str, target: str, payload_mb: int) -> dict[str, float]:
    """A transform job, its container's start included."""
    model.sagemaker_session = session
    transformer = model.transformer(1, "local", "MultiRecord", "Line", f"file://{target}", accept="text/csv",
                                    max_payload=payload_mb)  # fmt: skip
    started = time.perf_counter()
    transformer.transform(f"file://{source}", content_type="text/csv", split_type="Line", job_name=NAME,
                          wait=False, logs=False)  # fmt: skip
    seconds = time.perf_counter() - started
    return {"seconds": seconds}


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
    os._exit(0)  # the SDK's thread around its container would go on
