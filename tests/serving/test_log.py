"""Lines of the log: whole, on stdout, never in the way."""

import json
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from argosy.serving import log
from argosy.serving.log import Invoked


def lines(text: "str | bytes") -> list[dict[str, Any]]:
    return [json.loads(each) for each in text.splitlines()]


def only(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    captured = capfd.readouterr()
    assert captured.err == ""
    assert captured.out.endswith("\n")
    (told,) = lines(captured.out)
    return told


def program(body: str) -> list[str]:
    return [sys.executable, "-c", "import os, sys, threading\nfrom argosy.serving import log\n" + textwrap.dedent(body)]


def test_an_event_is_one_line_of_json_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    log.event("ready", pid=7, where=Path("/a/b"), text="two\nlines")
    told = only(capfd)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("time"))
    assert told == {"event": "ready", "pid": 7, "where": "/a/b", "text": "two\nlines"}


def test_a_failure_has_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("the weights are missing")
    except ValueError as error:
        log.failure("load-failed", error, inference_id="id-1")
    told = only(capfd)
    assert (told["error"], told["inference_id"]) == ("ValueError: the weights are missing", "id-1")
    assert "test_a_failure_has_its_traceback" in told["traceback"]


def test_an_error_that_cannot_be_shown_is_logged_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    log.failure("predictor-raised", BrokenError())
    assert only(capfd)["error"] == "BrokenError"


BODY = "4111 1111 1111 1111"


def raised(capfd: pytest.CaptureFixture[str], error: BaseException) -> dict[str, Any]:
    """What the log tells of it; with it was raised, from one of another kind, what a body said."""
    try:
        try:
            raise KeyError(BODY * 1000)
        except KeyError as cause:
            raise error from cause
    except BaseException as caught:  # groups are of many kinds
        log.raised("predictor-raised", caught, inference_id="id-1")
    return only(capfd)


@pytest.fixture
def messages() -> Iterator[Callable[[log.Messages], None]]:
    yield log.tell_messages
    log.tell_messages("short")


def test_an_exception_of_the_predictor_is_told_with_its_places_and_the_begin_of_what_it_says(
    capfd: pytest.CaptureFixture[str],
) -> None:
    told = raised(capfd, ValueError("x" * 150 + BODY * 1000))
    assert told["error"] == "ValueError: " + "x" * 150 + (BODY * 3)[:50] + " … and 18950 characters more"
    assert told["inference_id"] == "id-1"
    assert told["traceback"].count(BODY) == 10 + 2, "as much of the one that it was raised from, and no more"
    assert re.search(r"test_log.py\", line \d+, in raised\n .*raise KeyError", told["traceback"])
    assert "KeyError: '" in told["traceback"]
    assert "direct cause" in told["traceback"]


def test_what_a_terminal_would_obey_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    told = raised(capfd, ValueError("a\x1b[2Jb\nc\u202ed\udc80é"))
    assert told["error"] == r"ValueError: a\x1b[2Jb\nc\u202ed\udc80é"


def test_messages_can_be_left_out_or_told_whole(
    capfd: pytest.CaptureFixture[str], messages: Callable[[log.Messages], None]
) -> None:
    messages("none")
    told = raised(capfd, ExceptionGroup(BODY, [ValueError(BODY), TypeError(BODY)]))
    assert told["error"] == "ExceptionGroup"
    assert BODY not in str(told)
    assert all(f"{name}\n" in told["traceback"] for name in ("KeyError", "ExceptionGroup", "ValueError", "TypeError"))
    messages("whole")
    assert raised(capfd, ValueError("x\x00" * 1000))["error"] == "ValueError: " + r"x\x00" * 1000


def test_a_story_that_never_ends_is_told_in_part(capfd: pytest.CaptureFixture[str]) -> None:
    first: Exception = ValueError("0")
    for number in range(1, 1000):
        after = ValueError(str(number))
        after.__cause__, first = first, after
    ring = KeyError("ring")
    ring.__context__ = ExceptionGroup("group", [ring, first])
    log.raised("predictor-raised", ring)
    told = only(capfd)
    assert told["error"] == "KeyError: 'ring'"
    assert 3 <= told["traceback"].count("Traceback") <= 16


def test_text_that_is_no_unicode_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    log.event("found", file="a\udc80b")
    assert only(capfd)["file"] == "a\udc80b"


@pytest.mark.parametrize("piece", ["x", '"', "\x01", "é", "\udc80"])
def test_a_long_text_loses_its_middle_and_the_line_fits(capfd: pytest.CaptureFixture[str], piece: str) -> None:
    log.event("failed", traceback=f"begin{piece * 100_000}end", pid=7)
    text = capfd.readouterr().out
    assert len(text.encode()) <= 16_384
    (told,) = lines(text)
    assert told["pid"] == 7
    assert told["traceback"].startswith("begin")
    assert told["traceback"].endswith("end")


def test_the_line_of_an_invocation(capfd: pytest.CaptureFixture[str]) -> None:
    told = Invoked("id-1", 200, 100, 200, 0.0123456, 0.001, 0.0001, 0.01, 0.0002, rows=5, batch_size=3)
    log.invocation(told, custom_attributes="trace=7", status="not this one")
    read = only(capfd)
    del read["time"]
    assert read == {
        "event": "invocation",
        "inference_id": "id-1",
        "status": 200,
        "ms": {"queue": 1.0, "decode": 0.1, "predict": 10.0, "encode": 0.2, "total": 12.346},
        "rows": 5,
        "batch_size": 3,
        "bytes_in": 100,
        "bytes_out": 200,
        "custom_attributes": "trace=7",
    }


def test_the_line_of_an_invocation_that_came_not_far(capfd: pytest.CaptureFixture[str]) -> None:
    log.invocation(Invoked("", 503, 100, 50, 0.001))
    read = only(capfd)
    assert read["ms"] == {"total": 1.0}
    assert "rows" not in read
    assert "batch_size" not in read


def test_lines_of_many_threads_and_processes_do_not_mix() -> None:
    body = """
        def tell(thread):
            for number in range(200):
                log.event("told", pid=os.getpid(), thread=thread, number=number, text="x" * 1000)
        threads = [threading.Thread(target=tell, args=(thread,)) for thread in range(3)]
        if os.fork() == 0:
            log.never_block()  # one of them as the front writes
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    """
    done = subprocess.run(program(body), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    told = [(each["pid"], each["thread"], each["number"]) for each in lines(done.stdout)]
    assert len(set(told)) == len(told) == 2 * 3 * 200


def test_a_killed_process_has_lost_nothing() -> None:
    body = """
        for number in range(100):
            log.event("told", number=number)
        os.kill(os.getpid(), 9)
    """
    done = subprocess.run(program(body), capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [each["number"] for each in lines(done.stdout)] == list(range(100))


@pytest.mark.parametrize("before", ["", "log.never_block()"])
def test_a_stdout_that_nobody_reads_any_more_harms_nobody(before: str) -> None:
    body = f"""
        {before}
        sys.stdin.read()
        log.event("told")
        log.event("told")
        while log.dropped() < 2: threading.Event().wait(0.01)
        sys.stderr.write("lives")
    """
    process = subprocess.Popen(
        program(body), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdin and process.stderr
    process.stdout.close()
    process.stdin.close()
    with process.stderr:
        assert process.stderr.read() == "lives"
    assert process.wait(60) == 0


@pytest.mark.parametrize("before", ["", "log.never_block()"])
def test_without_a_stdout_nothing_is_written_to_whatever_got_its_number(tmp_path: Path, before: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"""
import os
from argosy.serving import log
{before}
assert os.open("other", os.O_WRONLY | os.O_CREAT) == 1
log.event("told")
assert log.dropped() == 1
""")
    command = ["/bin/sh", "-c", 'exec "$0" "$1" >&-', sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "other").read_bytes() == b""


def test_a_reader_that_stops_does_not_stop_the_front_and_is_told_what_it_missed() -> None:
    body = """
        log.never_block()
        for number in range(3000):
            log.event("told", number=number, text="x" * 1000)
        sys.stderr.write(f"{log.dropped()}\\n")
        sys.stderr.flush()
        sys.stdin.read()
        log.event("last")
    """
    process = subprocess.Popen(program(body), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stdin and process.stderr
    with process.stdout, process.stderr:
        missed = int(process.stderr.readline())  # it has come to its end while nobody read
        assert missed > 1000
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(process.stdout.read)
            process.stdin.close()
            told = lines(reading.result(60))
    assert process.wait(60) == 0
    assert sum(each["event"] == "told" for each in told) == 3000 - missed
    assert sum(each["count"] for each in told if each["event"] == "log-lines-dropped") == missed
    assert told[-1]["event"] in ("last", "log-lines-dropped")


def test_the_end_of_the_front_does_not_wait_for_a_reader_that_stopped() -> None:
    body = """
        log.never_block()
        for number in range(200):
            log.event("told", text="x" * 1000)
    """
    process = subprocess.Popen(program(body), stdout=subprocess.PIPE)
    assert process.wait(60) == 0
    assert process.stdout
    process.stdout.close()


def test_somebody_elses_non_blocking_stdout_is_waited_for() -> None:
    body = """
        os.set_blocking(1, False)
        for number in range(500):
            log.event("told", number=number, text="x" * 1000)
    """
    done = subprocess.run(program(body), capture_output=True, timeout=60, check=True)
    assert [each["number"] for each in lines(done.stdout)] == list(range(500))


def test_a_regular_file_is_written_at_once_even_by_the_front(tmp_path: Path) -> None:
    body = """
        log.never_block()
        log.event("told")
        assert os.path.getsize("log") > 0
        assert threading.active_count() == 1
    """
    with (tmp_path / "log").open("wb") as output:
        subprocess.run(program(body), stdout=output, cwd=tmp_path, timeout=60, check=True)


def test_a_line_of_another_format_is_written_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    log.line(b'{"_aws":{}}\n')
    assert only(capfd) == {"_aws": {}}
