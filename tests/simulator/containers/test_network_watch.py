"""What a container tries to reach is told, once for each host and process."""

import json
import shutil
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.simulator.containers import network_watch
from argosy.simulator.containers.attempt import Attempt, AttemptLog, parse
from argosy.simulator.containers.container import Container
from argosy.simulator.containers.network_watch import Row, listening, sockets
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from tests.simulator.containers.conftest import RunScript

PYTHON = """
import socket
def phone_home():
    for _ in range(3):
        try:
            socket.getaddrinfo("telemetry.example", 443)
        except OSError as error:
            print("lookup failed:", error.strerror)
    connection = socket.socket()
    connection.settimeout(0.1)
    try:
        connection.connect(("203.0.113.7", 443))
    except OSError as error:
        print("no connection:", type(error).__name__)
phone_home()
socket.getaddrinfo("localhost", 80)
socket.create_server(("127.0.0.1", 9000)).close()
"""
PERL = (
    "use Socket; $| = 1; print defined gethostbyname('weights.example') ? 'found' : 'not found', qq{\\n};"
    "socket(my $s, PF_INET, SOCK_STREAM, 0); $SIG{ALRM} = sub { exit }; alarm 5;"
    "connect($s, sockaddr_in(8443, inet_aton('203.0.113.9')));"
)
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 83FFFEA9:9F26 01010101:0050 02 00000001:00000000 01:00000044 00000000     0        0 4712 2 0 100 0 0 10 -1
"""
TABLE_6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 4713 1
   1: 0000000000000000FFFF000001010101:0050 0000000000000000FFFF000002020202:01BB 02 0:0 00:0 0 0 0 4714 1
"""


def await_attempts(container: Container, count: int) -> tuple[Attempt, ...]:
    deadline = time.monotonic() + 20
    while len(found := tuple(container.attempts())) < count:
        assert time.monotonic() < deadline, (found, container.logs())
        time.sleep(0.02)
    return found


def test_python_s_attempts_are_told_with_their_line(run_script: RunScript) -> None:
    told: list[Attempt] = []
    container = run_script(PYTHON, on_attempt=told.append)
    assert container.wait(20) == 0
    container.remove()
    expected = {("telemetry.example", 0, "<string>:6"), ("203.0.113.7", 443, "<string>:12")}
    assert {(found.host, found.port, found.line) for found in container.attempts()} == expected
    assert told == list(container.attempts())
    assert container.logs().count("lookup failed: Temporary failure in name resolution\n") == 3
    assert "no connection: TimeoutError" in container.logs()


def test_other_programs_attempts_are_told_with_their_name(run_script: RunScript) -> None:
    perl = shutil.which("perl")
    assert perl
    container = run_script("import os, sys; os.execv(sys.argv[1], sys.argv[1:3] + sys.argv[3:4])", perl, "-e", PERL)
    found = await_attempts(container, 2)
    assert found == (Attempt("weights.example", "perl"), Attempt("203.0.113.9", "perl", 8443))
    assert "not found" in container.logs()


def test_nothing_is_watched_when_nobody_wants_it(run_script: RunScript) -> None:
    script = "import os, sys; print('PYTHONPATH' in os.environ, os.path.exists('/run/argosy-watch'))\n" + PYTHON
    container = run_script(script, is_watched=False)
    assert container.wait(20) == 0
    assert container.logs().startswith("False False\n")
    assert "lookup failed: Temporary failure in name resolution" in container.logs()
    assert container.attempts() == ()


def test_a_plain_process_tells_what_its_python_does(tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text("import socket\nsocket.socket(type=socket.SOCK_DGRAM).connect(('203.0.113.7', 9))\n")
    command = Command("p", (sys.executable, str(script)), {}, tmp_path, free_port(), is_watched=True)
    container = ProcessContainer(command)
    container.start()
    assert container.wait(20) == 0
    (found,) = await_attempts(container, 1)
    assert (found.host, found.port, found.line) == ("203.0.113.7", 9, f"{script}:2")
    container.remove()


def test_the_image_s_own_sitecustomize_runs_and_nothing_of_ours_is_left_on_the_path(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("print('the image has its say')\n")
    script = "import sys, sitecustomize; print(sitecustomize.__file__, any('watch' in p for p in sys.path))"
    environment = {"PYTHONPATH": str(own)}
    container = ProcessContainer(
        Command("p", (sys.executable, "-c", script), environment, tmp_path, free_port(), is_watched=True)
    )
    container.start()
    assert container.wait(20) == 0
    assert container.logs() == f"the image has its say\n{own}/sitecustomize.py False\n"
    container.remove()


def test_the_kernel_s_tables_are_read(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TABLE)
    (tmp_path / "tcp6").write_text(TABLE_6)
    assert list(sockets("tcp", tmp_path)) == [
        Row(("127.0.0.1", 8080), ("0.0.0.0", 0), "0A", 4711),
        Row(("169.254.255.131", 40742), ("1.1.1.1", 80), "02", 4712),
    ]
    assert [row.remote for row in sockets("tcp6", tmp_path)] == [("::", 0), ("2.2.2.2", 443)]
    assert [row.inode for row in sockets("tcp", tmp_path, "02")] == [4712]
    assert listening(8080, tmp_path) == {"127.0.0.1"}
    assert listening(8081, tmp_path) == {"::"}
    assert listening(8082, tmp_path) == frozenset()
    assert list(sockets("udp", tmp_path)) == []


@given(st.binary(max_size=300))
def test_no_query_breaks_the_resolver(query: bytes) -> None:
    name, end = network_watch._question(query)
    assert (name == "" and end == 0) or end <= len(query)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'{"host": 1}', b'{"host": ""}', b"\xff", b'{"port": 1}', b"[" * 100_000],
)
def test_a_line_that_tells_of_nothing_is_left_out(line: bytes) -> None:
    assert parse(line) is None


@given(st.text(), st.text(), st.integers())
def test_a_stranger_s_text_never_reaches_a_terminal_as_more_than_text(host: str, line: str, port: int) -> None:

    found = parse(json.dumps({"host": host, "line": line, "port": port}).encode())
    assert found is None or (str(found).isprintable() and len(str(found)) < 1200)


def test_a_flood_is_cut(tmp_path: Path) -> None:
    log = AttemptLog(tmp_path)
    with log.file.open("w") as file:
        for number in range(30_000):
            file.write(f'{{"host": "{number}.example", "process": "p"}}\n')
    assert 100 < len(log.attempts()) <= 30_000
    log.close()


def test_an_attempt_is_a_sentence() -> None:
    said = str(Attempt("pypi.org", "python3", 0, "/app/serve.py:3"))
    assert (
        said == "the container looked up pypi.org (python3, /app/serve.py:3); there is no network for it on SageMaker"
    )
    assert "tried to connect to 1.1.1.1:80;" in str(Attempt("1.1.1.1", "", 80))
