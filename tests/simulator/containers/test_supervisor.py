"""A sandbox's network: loopback alone, reached from here through the relay."""

import os
import socket
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from argosy.errors import ContainerError
from argosy.simulator.containers.container import stop
from argosy.simulator.containers.program import isolated
from argosy.simulator.sandboxing.namespace_entry import SETUP_FAILED
from argosy.simulator.sandboxing.order import Order
from tests.simulator.conftest import await_answer
from tests.simulator.containers.conftest import RunScript, await_log

INTERFACES = "import socket; print('interfaces', [name for _, name in socket.if_nameindex()], socket.gethostname())"
HANGS = """
import errno, socket
for host, port in (("1.1.1.1", 80), ("169.254.169.254", 80), ("169.254.170.2", 80)):
    try:
        socket.create_connection((host, port), timeout=0.3)
    except TimeoutError:
        print("hangs")
print("done")
"""


def test_a_server_in_a_sandbox_is_reached_and_stopped(serve_stand_in: RunScript) -> None:
    container = serve_stand_in()
    await_answer(container.url)
    body = bytes(range(256)) * 40_000
    assert httpx.post(f"{container.url}/invocations", content=body, timeout=20).content == body
    assert not container.is_on_loopback_only()
    stopped = stop(container)
    assert (stopped.exit_code, stopped.killed) == (0, False)


@pytest.mark.parametrize("makes_network", [True, False])
def test_nothing_is_changed_in_the_network_of_this_machine(makes_network: bool) -> None:
    routes = Path("/proc/net/route").read_text()
    order = Order(makes_network=makes_network, watched_process=os.getpid())
    ended = subprocess.run(isolated("supervisor"), input=order.encoded(), capture_output=True, timeout=20)
    assert Path("/proc/net/route").read_text() == routes
    assert ended.returncode == SETUP_FAILED
    assert b"its network is this machine's own" in ended.stderr


def test_nobody_is_connected_before_the_container_listens(run_script: RunScript) -> None:
    container = run_script("import time; print('up'); time.sleep(600)")
    await_log(container, "up")
    with pytest.raises(httpx.ConnectError):
        httpx.get(container.url)


def test_nobody_is_connected_after_the_container_s_server_has_ended(run_script: RunScript) -> None:
    script = (
        "import socket, time\n"
        "server = socket.create_server(('0.0.0.0', 8080)); server.accept()[0].sendall(b'x'); server.close()\n"
        "time.sleep(600)\n"
    )
    container = run_script(script)
    host, port = container.url.removeprefix("http://").split(":")
    refused = threading.Event()
    while not refused.is_set():  # before it listens, and after: the one connection in between is taken
        try:
            with socket.create_connection((host, int(port)), timeout=20) as client:
                if client.recv(1) == b"x":
                    break
        except ConnectionError:
            continue
    for _ in range(200):
        try:
            with socket.create_connection((host, int(port)), timeout=20) as client:
                assert client.recv(1) == b""
        except ConnectionResetError:
            continue
        except ConnectionRefusedError:
            return
    raise AssertionError("still connected")


def test_a_server_on_loopback_alone_is_not_reached_and_that_is_seen(serve_stand_in: RunScript) -> None:
    container = serve_stand_in(address="127.0.0.1")
    while not container.is_on_loopback_only():
        assert container.exit_code() is None, container.logs()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{container.url}/ping")


def test_there_is_no_interface_but_loopback_and_the_host_name_is_its_own(run_script: RunScript) -> None:
    container = run_script(INTERFACES, hostname="first-of-two")
    assert container.wait(20) == 0
    assert "interfaces ['lo'] first-of-two\n" in container.logs()


def test_what_leads_out_hangs_as_behind_a_firewall(run_script: RunScript) -> None:
    container = run_script(HANGS, is_watched=False)
    assert container.wait(20) == 0
    assert container.logs() == "hangs\nhangs\nhangs\ndone\n"


def test_containers_that_share_a_network_reach_each_other(serve_stand_in: RunScript, run_script: RunScript) -> None:
    first = serve_stand_in(port=4001, hostname="first")
    await_answer(first.url)
    second = serve_stand_in(port=4002, hostname="second", shares_network_with=first)
    await_answer(second.url)
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:4002/ping', timeout=5).status)"
    asking = run_script(ask, environment={"SAGEMAKER_BIND_TO_PORT": "4003"}, shares_network_with=first)
    assert asking.wait(20) == 0
    assert asking.logs() == "200\n"


def test_a_network_that_is_not_there_cannot_be_shared(run_script: RunScript) -> None:
    first = run_script("print('over')")
    assert first.wait(20) == 0
    with pytest.raises(ContainerError, match="does not run"):
        run_script("", shares_network_with=first)
