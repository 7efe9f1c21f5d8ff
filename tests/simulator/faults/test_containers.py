"""Faults 5 to 8 of the SageMaker SDK's local mode: how containers are started, watched and ended."""

import io
import os
import socket
import tarfile

import pytest
from botocore.exceptions import WaiterError

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator.control.definitions import endpoint_of
from tests.simulator.conftest import MakeContainer
from tests.simulator.control.conftest import QUICK, until
from tests.simulator.faults.conftest import SYSTEM, VARIANT, Local, text
from tests.simulator.serving_thread import demo, serving


def archive(**files: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return written.getvalue()


def test_fault_5_the_budget_for_a_start_is_the_variants() -> None:
    """Local mode: "fixed 120 s limit in 5 s steps …, not 8 min"."""
    variant = {**VARIANT, "ModelName": "m"}
    container = {"Image": "stand-in"}
    models = {"m": {"name": "m", "containers": [container], "mode": "Serial", "isolated": False}}

    def startup_s(**more: object) -> float:
        config = {"ProductionVariants": [{**variant, **more}]}
        return endpoint_of("e", {"config": config, "models": models}).variants[0].startup_s

    assert startup_s() == 480 == contract.STARTUP.value
    assert startup_s(ContainerStartupHealthCheckTimeoutInSeconds=3600) == 3600


@pytest.mark.parametrize("mode", ["hanging-ping", "never-ready"])
def test_fault_5_a_ping_that_hangs_is_one_that_failed(stand_in: MakeContainer, mode: str) -> None:
    """Local mode: "no ping timeout (a hanging /ping blocks forever)"; the budget is shortened here."""
    with (
        pytest.raises(ContainerError, match="did not pass the ping health check"),
        serving(stand_in(mode=mode, slow_s="600"), demo(startup_s=0.5)),
    ):
        pass


def test_fault_5_a_start_under_way_holds_nobody_up(local: Local) -> None:
    """The API answers, and other endpoints come into service, while one waits for its container."""
    local.model("slow", PrimaryContainer=local.container("slow", mode="never-ready"))
    local.sagemaker.create_endpoint_config(
        EndpointConfigName="slow", ProductionVariants=[{**VARIANT, "ModelName": "slow"}]
    )
    local.sagemaker.create_endpoint(EndpointName="slow", EndpointConfigName="slow")
    local.model("quick")
    local.deploy("quick")
    assert text(local.invoke("quick")) == b"1,2"
    assert local.sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == "Creating"


def test_fault_5_a_container_in_service_is_watched(local: Local) -> None:
    """Local mode: "no steady-state pings"; a container that turns sick is replaced."""
    local.model("sick", PrimaryContainer=local.container("sick", mode="sick"))
    local.deploy("sick")
    local.invoke("sick")
    until(lambda: any("unhealthy after 3 failed health checks in a row" in line for line in local.reports))
    until(lambda: any("in service again after" in line for line in local.reports))
    assert text(local.invoke("sick")) == b"1,2"
    assert len({request["pid"] for request in local.invocations("sick")}) == 2


def test_fault_6_no_credentials_of_this_machine_reach_the_container(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local mode: "host AWS credentials injected as AWS_ACCESS_KEY_ID/…"."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-this-machine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-this-machine")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-this-machine")
    local.model("bare")
    local.deploy("bare")
    seen = local.environment("bare")
    assert [name for name in seen if name.startswith("AWS_")] == []
    assert "of-this-machine" not in seen.values()


def test_fault_6_an_archive_is_unpacked_elsewhere_and_mounted_alone_and_read_only(local: Local) -> None:
    """Local mode: "/opt/ml/model mounted read-write; local tarball extracted in place into the user's own directory and
    the whole directory (tar.gz + siblings) is mounted; all tars in the dir are extracted".

    That these mounts are read-only inside the container, tests/simulator/containers shows for every kind of container.
    """
    objects = {"model.tar.gz": archive(weights=b"42"), "other.tar.gz": archive(other=b"1"), "notes.txt": b"private"}
    local.put("artifacts", objects)
    container = {**local.container("unpacked"), "ModelDataUrl": "s3://artifacts/model.tar.gz"}
    local.model("unpacked", PrimaryContainer=container)
    local.deploy("unpacked")
    folder = local.launches[-1].model_dir
    assert folder is not None
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"weights": b"42"}
    assert local.launches[-1].mounts == {"/opt/ml/model": folder}
    bucket = local.buckets / "artifacts"
    assert not folder.is_relative_to(bucket)
    assert {path.name: path.read_bytes() for path in bucket.iterdir()} == objects
    local.sagemaker.delete_endpoint(EndpointName="unpacked")
    until(lambda: not folder.exists())


def test_fault_6_any_port_will_do(local: Local) -> None:
    """Local mode: "port 8080 hard dependency"; several endpoints run beside whatever has 8080."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", contract.PORT))
            other.listen()
        except OSError:
            pass  # somebody else has it, which serves as well
        for name in ("port-a", "port-b"):
            local.model(name)
            local.deploy(name)
        assert [text(local.invoke(name)) for name in ("port-a", "port-b")] == [b"1,2"] * 2


def test_fault_6_the_end_is_sigterm_and_30_seconds_to_heed_it(local: Local) -> None:
    """Local mode: "stop = kill compose (10 s grace), no SIGTERM→30 s→SIGKILL check"; what comes of a container that
    ignores SIGTERM, tests/simulator/hosting/test_endpoint.py shows with a shorter grace.
    """
    assert contract.STOP_GRACE.value == 30
    local.model("ends")
    local.deploy("ends")
    local.sagemaker.delete_endpoint(EndpointName="ends")
    local.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="ends", WaiterConfig=QUICK)
    assert local.diary("ends")[-1] == {"ended by": "SIGTERM"}


def test_fault_7_a_container_may_complain_as_much_as_it_likes(local: Local) -> None:
    """Local mode: "pipes stderr but only reads stdout ⇒ can dead-lock"; here it writes 2 MB to it."""
    local.model("loud")
    local.deploy("loud")
    assert text(local.invoke("loud", b"FLOOD")) == b"FLOOD"


def test_fault_7_a_container_that_ends_is_told_at_once_with_exit_code_and_log(local: Local) -> None:
    """Local mode: "Process exited with code: 1 in a thread while the wait loop continues"."""
    local.model("crash", PrimaryContainer=local.container("crash", mode="crash"))
    with pytest.raises(WaiterError, match="terminal failure state"):
        local.deploy("crash")
    failed = local.sagemaker.describe_endpoint(EndpointName="crash")
    assert failed["FailureReason"].startswith("The primary container for production variant AllTraffic did not pass")
    (told,) = [line for line in local.reports if line.startswith("endpoint crash: ") and "exit code" in line]
    assert "exit code 3" in told
    assert "no such file: model.joblib" in told


def test_fault_8_a_path_is_not_refused_for_how_it_begins(local: Local) -> None:
    """Local mode: "Rejects any data path that starts with the strings /root, /etc, /var/lib… (/rootfs/data too)"."""
    assert os.fspath(SYSTEM) == "/etc"
    place = {"S3Uri": "s3://system/hosts"}
    described = local.transform("etc", {}, S3DataSource=place)
    assert described["TransformJobStatus"] == "Completed"
    assert local.results("etc")["hosts.out"] == (SYSTEM / "hosts").read_bytes()


def test_fault_8_a_folder_may_be_called_as_a_folder_of_the_system(local: Local) -> None:
    described = local.transform("rootfs", {"rootfs/data": b"1", "etc/data": b"2", "var/lib/data": b"3"})
    assert described["TransformJobStatus"] == "Completed"
    assert local.results("rootfs") == {"rootfs/data.out": b"1", "etc/data.out": b"2", "var/lib/data.out": b"3"}
