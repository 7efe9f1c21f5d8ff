"""AWS's own client of bidirectional streams, as it is on PyPI, converses with the simulator.

It needs Python 3.12, its transport over AWS's Common Runtime, and TLS: without ALPN that transport speaks HTTP/1.1.
"""

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
import uv

from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from tests.simulator.runtime.streaming_thread import STAND_IN, streaming

CLIENT = ("aws-sdk-sagemaker-runtime-http2==0.12.0", "smithy-http[awscrt]==0.6.0")
CONVERSE = """
import asyncio, sys
from aws_sdk_sagemaker_runtime_http2 import models
from aws_sdk_sagemaker_runtime_http2.client import AsyncSageMakerRuntimeHTTP2Client
from aws_sdk_sagemaker_runtime_http2.config import AsyncSageMakerRuntimeHTTP2Config
from smithy_http.aio.crt import AWSCRTHTTPClient

async def main():
    config = await AsyncSageMakerRuntimeHTTP2Config.resolve(
        endpoint_uri=sys.argv[1], region="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
        transport=AWSCRTHTTPClient(),
    )
    client = AsyncSageMakerRuntimeHTTP2Client(config=config)
    wanted = models.InvokeEndpointWithBidirectionalStreamInput(endpoint_name="demo", model_invocation_path="v1/talk")
    stream = await client.invoke_endpoint_with_bidirectional_stream(wanted)
    output, events = await stream.await_output()
    print(output.invoked_production_variant)
    for data, kind, state in ((b"hello", "UTF8", None), (b"\\xff", None, None), (b"half", "UTF8", "PARTIAL"),
                              (b" way", "UTF8", "COMPLETE"), (b"CLOSE 4001 enough", "UTF8", None)):
        part = models.RequestPayloadPart(bytes_=data, data_type=kind, completion_state=state)
        await stream.input_stream.send(models.RequestStreamEventPayloadPart(value=part))
        try:
            answer = (await events.receive()).value
            print(answer.bytes_, answer.data_type, answer.completion_state)
        except models.ModelStreamError as error:
            print(error.error_code, error.message)

asyncio.run(main())
"""


@pytest.mark.engine
def test_aws_s_own_client_converses(tmp_path: Path, newer_python: str) -> None:
    packages, certificates = tmp_path / "packages", tmp_path / "ca.pem"
    target = ["--target", str(packages), "--python-version", "3.13", "--python-platform", "x86_64-manylinux_2_28"]
    install = [uv.find_uv_bin(), "--system-certs", "pip", "install", "--quiet", "--only-binary", ":all:", *target]
    subprocess.run([*install, *CLIENT], check=True, timeout=240)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(certificates)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    port = free_port()
    container = ProcessContainer(Command("ws", (sys.executable, str(STAND_IN), str(port)), {}, tmp_path, port))
    mounts = [f"--volume={packages}:/client:ro", f"--volume={certificates}:/etc/ssl/certs/ca-certificates.crt:ro"]
    try:
        with streaming(container, tls=tls) as bench:
            command = [
                "docker",
                "run",
                "--rm",
                "--network=host",
                "--env=PYTHONPATH=/client",
                "--env=HOME=/tmp",
                *mounts,
            ]
            url = f"https://localhost:{bench.port}"
            done = subprocess.run(
                [*command, newer_python, "python3", "-c", CONVERSE, url], capture_output=True, text=True, timeout=120
            )
    finally:
        container.remove()
    assert done.stdout.splitlines() == [
        "AllTraffic",
        "b'hello' UTF8 COMPLETE",
        "b'\\xff' BINARY COMPLETE",
        "b'half' UTF8 PARTIAL",
        "b' way' UTF8 COMPLETE",
        "4001 enough",
    ], (done.stderr, bench.reports)
