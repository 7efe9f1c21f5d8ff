import signal
import subprocess
import sys

from argosy.flavors.loading.chatter import one_line

PROGRAM = """
import ctypes, os, sys
from argosy.flavors.loading.chatter import silenced
c = ctypes.CDLL(None)
print("before", file=sys.stderr)
try:
    with silenced():
        print("python", file=sys.stderr)
        os.write(2, b"system\\n")
        c.write(2, b"library\\n", 8)
        raise ValueError
except ValueError:
    print("after", file=sys.stderr)
os.write(2, b"%d open" % len(os.listdir("/proc/self/fd")))
"""


def test_what_anybody_writes_meanwhile_is_dropped_and_stderr_is_as_it_was() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    before, after, files = found.stderr.splitlines()
    assert (before, after) == ("before", "after")
    assert int(files.split()[0]) == 4  # the three of any program, and the folder that is listed


NOTICES = """
import os, sys
from argosy.flavors.loading.chatter import without_notices
print("before", file=sys.stderr)
with without_notices():
    print("WARNING: All log messages before absl::InitializeLog() is called are written to STDERR", file=sys.stderr)
    os.write(2, b"I0000 00:00:1795433673.813949    7230 port.cc:153] oneDNN custom operations are on.\\n")
    os.write(2, b"W1123 11:59:02.000001    7230 gpu.cc:1] no GPU\\n")
    os.write(2, b"E0000 00:00:1795433673.9    7230 cuda.cc:2] fai")
    os.write(2, b"led\\n")
    os.write(2, b"I am no notice\\n")
    print("not a whole line", file=sys.stderr, end="")
    END
os.write(2, b"\\n%d open" % len(os.listdir("/proc/self/fd")))
"""


def noticed(end: str) -> tuple[int, list[str]]:
    program = NOTICES.replace("END", end)
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    return found.returncode, found.stderr.splitlines()


def test_errors_and_what_is_no_notice_go_through_in_their_order() -> None:
    code, lines = noticed("pass")
    assert (code, lines[:-1]) == (
        0, ["before", "E0000 00:00:1795433673.9    7230 cuda.cc:2] failed", "I am no notice", "not a whole line"],
    )  # fmt: skip
    assert int(lines[-1].split()[0]) == 4  # the three of any program, and the folder that is listed


def test_what_a_library_says_before_it_aborts_is_told() -> None:
    code, lines = noticed('os.write(2, b"\\nF0000 00:00:1.0  1 cpu.cc:3] no AVX\\n"); os.abort()')
    assert code == -signal.SIGABRT
    assert lines[-1] == "F0000 00:00:1.0  1 cpu.cc:3] no AVX"


def test_a_program_that_the_import_leaves_running_holds_nothing_up() -> None:
    code, lines = noticed(
        "import atexit, subprocess; left = subprocess.Popen(['sleep', '120'], stdout=-3); atexit.register(left.kill)"
    )
    assert code == 0
    assert len(lines) == 5


def test_what_an_exception_says_is_one_line_of_a_length_that_can_be_read() -> None:
    assert one_line(ValueError("no\n  such layer")) == "ValueError: no such layer"
    assert len(one_line(ValueError("x" * 1000))) == len("ValueError: ") + 301
