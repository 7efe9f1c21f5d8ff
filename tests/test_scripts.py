"""The scripts: strict, listed, and set-up does nothing when there is nothing to do."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = [path for path in sorted((ROOT / "scripts").iterdir()) if path.suffix == ""]


@pytest.mark.parametrize(
    "path", [*SCRIPTS, ROOT / ".ci/run", ROOT / "tests/engine/make-python-image"], ids=lambda p: p.name
)
def test_a_script_is_strict_and_can_be_run(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path]).returncode == 0


def test_the_list_of_scripts_is_whole() -> None:
    listed = (ROOT / "scripts/README.md").read_text()
    assert [path.name for path in SCRIPTS if f"| `{path.name}` |" not in listed] == []


def test_ci_calls_the_test_script_and_nothing_else() -> None:
    lines = [
        line for line in (ROOT / ".ci/run").read_text().splitlines() if line and not line.startswith(("#", "set "))
    ]
    assert lines == ['cd "$(dirname "${BASH_SOURCE[0]}")/.."', "exec scripts/test"]


def test_set_up_does_nothing_when_nothing_changed() -> None:
    subprocess.run([ROOT / "scripts/setup"], check=True)
    again = subprocess.run([ROOT / "scripts/setup"], check=True, capture_output=True, text=True)
    assert again.stdout + again.stderr == ""


def test_an_old_python_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/setup").write_text((ROOT / "scripts/setup").read_text())
    old = tmp_path / "old"
    old.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (old / name).write_text('#!/bin/sh\n[ "$1" != --version ] || echo Python 3.9.2\nexit 1\n')
        (old / name).chmod(0o755)
    environ = {**os.environ, "PATH": f"{old}:/usr/bin:/bin"}
    environ.pop("PYTHON", None)
    done = subprocess.run(["bash", tmp_path / "scripts/setup"], env=environ, capture_output=True, text=True)
    assert done.returncode == 3
    assert "needs Python 3.11 or newer: got Python 3.9.2" in done.stderr
    assert "hint: " in done.stderr
