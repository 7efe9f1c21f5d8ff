"""`argosy describe` as a user types it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.cli.selling import describe
from argosy.errors import UsageError
from tests.publishing.description.described import flowers


def argosy_describe(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "argosy", "describe", *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, **environ}, timeout=240,
    )  # fmt: skip


def test_a_project_as_a_process_is_described_and_nothing_is_kept(tmp_path: Path) -> None:
    root = flowers(tmp_path / "flowers").root
    done = argosy_describe(root, "--container", "process", "--seconds", "0.02", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["usage"]["input"]["limitations"] == "At most a thousand flowers."
    assert found["description"]["limits"]["memory_bytes"] is None
    assert "note: not kept: it is of no image of a project" in done.stderr
    assert not (root / ".argosy").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--as", "ml.m5.huge"], "no instance type of SageMaker's hosting has this name"),
        (["--sample", "samples/one.json"], "`--sample` and `--content-type` go together"),
        (["--model-data", "argosy.toml"], "a project has artifacts of its own"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_run(tmp_path: Path, arguments: list[str], words: str) -> None:
    root = flowers(tmp_path / "flowers").root
    placed = [str(root / one) if (root / one).exists() else one for one in arguments]
    with pytest.raises(UsageError, match=re.escape(words)):
        describe.command.main([str(root), *placed], standalone_mode=False)


@pytest.mark.engine
def test_an_image_is_described_and_kept_by_its_digest(tmp_path: Path) -> None:
    root = flowers(tmp_path / "flowers").root
    done = argosy_describe(root, "--seconds", "0.02")
    assert done.returncode == 0, done.stderr
    (kept,) = (root / ".argosy/descriptions").iterdir()
    digest = json.loads(kept.read_text())["digest"]
    assert f"  {digest}\n" in done.stdout
    assert "the 8 GiB of memory of ml.m5.large" in " ".join(done.stdout.split())
