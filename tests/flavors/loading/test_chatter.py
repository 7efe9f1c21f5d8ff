import subprocess
import sys

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
