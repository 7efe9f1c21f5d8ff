"""Notifications on their way into a file."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

DELIVERIES = """
import asyncio
import json
import sys
from pathlib import Path

from argosy.simulator.runtime.notification import DeliveryPolicy, Notification, Notifier

told, filler = Path(sys.argv[1], "told"), Path(sys.argv[1], "filler")
reports = []
notifier = Notifier({"topic": told}, reports.append, DeliveryPolicy(retries=0))


def deliver(message):
    asyncio.run(notifier.deliver(Notification("topic", "id", message, "now")))
    return told.read_text()


first = deliver("first")
try:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
except OSError:
    pass
full = deliver("x" * 20_000)
filler.unlink()
print(json.dumps({"first": first, "full": full, "last": deliver("y" * 20_000), "reports": reports}))
"""


def test_a_file_gets_whole_lines_or_none(tmp_path: Path) -> None:
    # On a full disk the page that the file ends in has room still: the line's beginning fits, its end does not.
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=64k small "$0" && exec "$@"'
    under = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(disk)]
    done = subprocess.run(
        [*under, sys.executable, "-c", DELIVERIES, str(disk)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert json.loads(seen["first"])["Message"] == "first"
    assert seen["full"] == seen["first"]
    assert "No space left on device" in seen["reports"][0]
    assert "is lost after 1 attempts" in seen["reports"][1]
    assert [json.loads(line)["Message"] for line in seen["last"].splitlines()] == ["first", "y" * 20_000]
