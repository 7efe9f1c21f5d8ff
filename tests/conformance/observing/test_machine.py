"""The seller's machine, looked at with engines, proxies and files that are not as they should be."""

import email.utils
import http.server
import os
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from argosy.conformance.case import Case, Scene
from argosy.conformance.observing.machine import Surroundings, observe
from argosy.conformance.scenes.machine import (
    Builder,
    Caller,
    Capacity,
    Clock,
    Cloud,
    Disks,
    Proxies,
    Runners,
    Software,
)
from argosy.simulator.containers import instance_types

CONTAINERD = '[["driver-type","io.containerd.snapshotter.v1"]]'
OVERLAY = '[["Backing Filesystem","extfs"]]'
DOCKER = """
case "$*" in
  version*) echo 28.5.2 ;;
  info*) echo '{{"DriverStatus": {status}, "DockerRootDir": "{root}"}}' ;;
  "buildx version") {buildx} ;;
  "buildx inspect") printf 'Name: x\\nDriver: docker-container\\n' ;;
  *) exit 9 ;;
esac
"""
PODMAN = """
case "$*" in
  version*) echo 4.3.1 ;;
  info*) echo '{{"store": {{"graphRoot": "{root}"}}}}' ;;
  *) exit 9 ;;
esac
"""
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No AWS variables and files but those of a test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))


def look(tmp_path: Path, variables: Mapping[str, str] | None = None, *, is_online: bool = False) -> Case:
    return observe(Surroundings(tmp_path / "cache", {"PATH": f"{tmp_path}/bin", **(variables or {})}, is_online))


def seen(case: Case, kind: type[Scene]) -> Scene:
    found = case.find(kind)
    assert found is not None, case.absent
    return found


def program(tmp_path: Path, name: str, script: str) -> None:
    path = tmp_path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_without_an_engine_the_reasons_are_told_and_builds_are_not_judged(tmp_path: Path) -> None:
    case = look(tmp_path)
    runners = seen(case, Runners)
    assert runners.engine == ""
    assert "`docker` is not installed; `podman` is not installed" in runners.engine_refusal
    assert case.absent[Builder] == "no container engine answers"
    assert case.absent[Caller] == "not asked for: --online"
    assert case.absent[Capacity] == "no --instance-type was given"


def test_an_engine_that_does_not_answer_is_told_in_its_words(tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert "`docker version` failed" in seen(look(tmp_path), Runners).engine_refusal


@pytest.mark.parametrize(
    ("status", "buildx", "variables", "expected"),
    [
        (CONTAINERD, "exit 1", {}, Builder("docker", keeps_indexes=True)),
        (OVERLAY, "exit 1", {}, Builder("docker")),
        (OVERLAY, "exit 0", {}, Builder("docker", driver="docker-container")),
        (
            CONTAINERD,
            "exit 1",
            {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"},
            Builder("docker", keeps_indexes=True, makes_attestations=False),
        ),
    ],
)
def test_what_dockers_builds_make(
    tmp_path: Path, status: str, buildx: str, variables: dict[str, str], expected: Builder
) -> None:
    program(tmp_path, "docker", DOCKER.format(status=status, root=tmp_path, buildx=buildx))
    case = look(tmp_path, variables)
    assert seen(case, Runners).engine == "docker"
    assert seen(case, Runners).version == "28.5.2"
    assert seen(case, Builder) == expected
    engine = seen(case, Disks).engine
    assert engine is not None
    assert (engine.path, engine.is_writable) == (str(tmp_path), True)


@pytest.mark.parametrize(("variables", "is_docker"), [({}, False), ({"BUILDAH_FORMAT": "docker"}, True)])
def test_what_podmans_builds_make(tmp_path: Path, variables: dict[str, str], is_docker: bool) -> None:
    program(tmp_path, "podman", PODMAN.format(root="/nowhere/at/all"))
    case = look(tmp_path, variables)
    assert seen(case, Builder) == Builder("podman", has_docker_format=is_docker)
    assert seen(case, Disks).engine is None  # it is on another machine


def test_the_cache_is_looked_for_where_it_would_be_made(tmp_path: Path) -> None:
    cache = seen(look(tmp_path), Disks).cache
    assert cache.path == str(tmp_path / "cache")
    assert cache.free_bytes
    assert cache.is_writable
    (tmp_path / "cache").write_text("")
    assert not seen(look(tmp_path), Disks).cache.is_writable


@pytest.mark.parametrize(
    ("variables", "hosts", "spares"),
    [
        ({}, (), True),
        ({"HTTPS_PROXY": "http://proxy:3128"}, (), True),
        ({"HTTP_PROXY": f"http://me:{SECRET}@proxy:3128"}, (("HTTP_PROXY", "proxy:3128"),), False),
        ({"http_proxy": "proxy", "NO_PROXY": "localhost,127.0.0.1"}, (("http_proxy", "proxy"),), True),
        ({"all_proxy": "socks5://proxy:1080", "no_proxy": "example.com"}, (("all_proxy", "proxy:1080"),), False),
    ],
)
def test_proxies_are_named_without_their_logins(
    tmp_path: Path, variables: dict[str, str], hosts: tuple[tuple[str, str], ...], spares: bool
) -> None:
    proxies = seen(look(tmp_path, variables), Proxies)
    assert proxies == Proxies(hosts, spares)


def test_scanners_and_libraries_are_found(tmp_path: Path) -> None:
    program(tmp_path, "grype", "exit 0")
    software = seen(look(tmp_path), Software)
    assert software.scanners == ("grype",)
    assert software.missing == ()
    assert dict(software.extras)["aws"] is True


def test_a_library_that_is_missing_or_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ['uv>=9999; extra == "toolkit"', 'not-there-at-all; extra == "toolkit"', 'x; extra == "aws"', "click>=1"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: found)
    first, second = seen(look(tmp_path), Software).missing
    assert first.startswith("uv ")
    assert first.endswith("want >=9999")
    assert second == "not-there-at-all is not installed"


@pytest.mark.parametrize(
    ("config", "variables", "source", "region"),
    [
        ("", {}, "", ""),
        ("", {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": SECRET}, "env", ""),
        ("[default]\nregion = eu-west-1\ncredential_process = /bin/false\n", {}, "custom-process", "eu-west-1"),
        (f"[default]\naws_access_key_id = id\naws_secret_access_key = {SECRET}\n", {}, "config-file", ""),
        ("", {"AWS_DEFAULT_REGION": "us-east-2"}, "", "us-east-2"),
    ],
)
def test_the_source_of_credentials_is_told_and_never_they_themselves(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: str,
    variables: dict[str, str],
    source: str,
    region: str,
) -> None:
    (tmp_path / "aws-config").write_text(config)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    case = look(tmp_path)
    assert seen(case, Cloud) == Cloud(True, source, region)
    assert SECRET not in repr(case)


def test_aws_files_that_are_broken_are_a_fault_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "aws-config").write_text("this is no INI file\n")
    cloud = seen(look(tmp_path), Cloud)
    assert "ConfigParseError" in cloud.fault


@contextmanager
def security_token_service(seconds_behind: float, status: int = 200) -> Iterator[str]:
    """A server that answers as AWS does, with a clock of its own; its URL."""

    class Service(http.server.BaseHTTPRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return email.utils.formatdate(time.time() - seconds_behind, usegmt=True)

        def do_HEAD(self) -> None:
            self.send_response(302)
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = ANSWER if status == 200 else REFUSAL
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


ARN = "arn:aws:iam::123456789012:user/seller"
ANSWER = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{ARN}</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>""".encode()
REFUSAL = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>ExpiredToken</Code><Message>The security token is expired</Message></Error></ErrorResponse>"""


@pytest.mark.parametrize("behind_s", [0.0, 1000.0, -1000.0])
def test_aws_is_asked_who_this_is_and_what_time_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind_s: float
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with security_token_service(behind_s) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        case = look(tmp_path, is_online=True)
    clock = seen(case, Clock)
    assert clock.asked == url
    assert clock.skew_s is not None
    assert abs(clock.skew_s - behind_s) < 60
    assert seen(case, Caller).arn == ARN
    assert SECRET not in repr(case)


def test_what_aws_refuses_is_told_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with security_token_service(0, 403) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        caller = seen(look(tmp_path, is_online=True), Caller)
    assert "ExpiredToken" in caller.refusal
    assert "The security token" not in caller.refusal
    assert SECRET not in caller.refusal


def test_an_aws_that_does_not_answer_leaves_clock_and_identity_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    case = look(tmp_path, is_online=True)
    assert (seen(case, Clock).skew_s, seen(case, Clock).asked) == (None, "http://127.0.0.1:9")
    assert "ConnectError" in seen(case, Clock).refusal
    assert "EndpointConnectionError" in seen(case, Caller).refusal


@pytest.mark.parametrize("place", ["127.0.0.1:9", "[x", "127.0.0.1:port"])
def test_a_login_in_a_url_is_never_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:{SECRET}@{place}")
    case = look(tmp_path, is_online=True)
    assert seen(case, Clock).refusal
    assert seen(case, Caller).refusal
    assert SECRET not in repr(case)


@pytest.mark.parametrize("command", ["/bin/false", f"/bin/echo {SECRET}", "/bin/echo []", "/nowhere/at/all"])
def test_a_program_that_gives_no_credentials_is_a_refusal_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "aws-config").write_text(f"[default]\ncredential_process = {command}\n")
    with security_token_service(0) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        case = look(tmp_path, is_online=True)
    assert "Error" in seen(case, Caller).refusal
    assert seen(case, Clock).skew_s is not None
    assert SECRET not in repr(case)


def test_this_machine_is_compared_with_an_instance_type(tmp_path: Path) -> None:
    meant = instance_types.find("ml.m5.large")
    case = observe(Surroundings(tmp_path, {"PATH": str(tmp_path)}, instance_type=meant))
    capacity = seen(case, Capacity)
    assert capacity.wanted is meant
    assert capacity.cpus >= 1
    assert capacity.memory_bytes > 2**20
