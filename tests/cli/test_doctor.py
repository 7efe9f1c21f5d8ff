"""`argosy doctor` as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from argosy.cli import main

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/reference/check-report.schema.json").read_text(encoding="utf-8"))
SECRET = "wJalrXUtnFEMI-not-a-real-one"


def doctor(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "argosy", "doctor", *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, **environ}, timeout=120,
    )  # fmt: skip


@pytest.fixture
def engine_folder(tmp_path: Path) -> Path:
    """A PATH with a Docker that keeps its images with their attestations, and what a sandbox needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = """#!/bin/sh
case "$*" in
  version*) echo 29.0.0 ;;
  info*) echo '{"DriverStatus": [["driver-type","io.containerd.snapshotter.v1"]], "DockerRootDir": "/"}' ;;
  *) exit 1 ;;
esac
"""
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)
    return folder


def test_the_machine_has_a_report_as_an_image_has(tmp_path: Path, engine_folder: Path) -> None:
    written = tmp_path / "doctor.json"
    done = doctor(
        "--report", f"json:{written}", "--instance-type", "ml.m5.large",
        PATH=f"{engine_folder}:{os.environ['PATH']}", ARGOSY_CACHE_DIR=str(tmp_path / "cache"),
        AWS_ACCESS_KEY_ID="AKIA", AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION="eu-west-1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("this machine\n  examined by argosy doctor\n  checked at ")
    assert "\n\nengine\n  ok   runner " in done.stdout
    assert "FAIL engine-builds          SHOULD" in done.stdout
    assert "BUILDX_NO_DEFAULT_ATTESTATIONS=1" in done.stdout
    assert "ok   credentials            from `env`" in done.stdout
    assert "identity               MUST  not asked for: --online" in done.stdout
    document = json.loads(written.read_text())
    jsonschema.validate(document, SCHEMA)
    (report,) = document["reports"]
    assert (report["container"], report["profile"], report["conforming"]) == ("machine", None, True)
    assert SECRET not in done.stdout + done.stderr + written.read_text()


def test_strict_counts_what_is_only_recommended_and_a_cache_that_is_none_fails(
    tmp_path: Path, engine_folder: Path
) -> None:
    path = f"{engine_folder}:{os.environ['PATH']}"
    assert doctor("--strict", PATH=path).returncode == main.EXIT_EXAMINED_FAILED
    (tmp_path / "cache").write_text("")
    done = doctor("--json", PATH=path, ARGOSY_CACHE_DIR=str(tmp_path / "cache"))
    assert done.returncode == main.EXIT_EXAMINED_FAILED
    (report,) = json.loads(done.stdout)["reports"]
    failed = {entry["clause"] for entry in report["findings"] if entry["status"] == "fail" and entry["level"] == "MUST"}
    assert failed == {"cache-writable"}


@pytest.mark.parametrize("arguments", [["--instance-type", "ml.m5.tiny"], ["--report", "x"], ["oci:x"]])
def test_wrong_usage_is_said_in_a_sentence(arguments: list[str]) -> None:
    done = doctor(*arguments)
    assert done.returncode == main.EXIT_USAGE
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
