"""The `argosy` command: verbs, errors as sentences, exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import main
from argosy.errors import ArgosyError


def argosy(*arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "argosy", *arguments],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, **environ}, timeout=60,
    )  # fmt: skip


def test_help_lists_every_verb_on_stdout() -> None:
    done = argosy("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert all(verb in done.stdout for verb in main.VERBS)


def test_the_version_is_the_packages() -> None:
    assert argosy("--version").stdout.strip().endswith("0.1.0")


@pytest.mark.parametrize("verb", main.VERBS)
def test_every_verb_has_help(verb: str) -> None:
    done = argosy(verb, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["check"]])
def test_wrong_usage_exits_with_2_and_talks_on_stderr(arguments: list[str]) -> None:
    done = argosy(*arguments)
    assert done.returncode == main.EXIT_USAGE
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_error_is_one_sentence_and_a_hint(tmp_path: Path) -> None:
    done = argosy("serve", str(tmp_path))
    assert done.returncode == main.EXIT_USAGE
    assert done.stderr.startswith("error: no `argosy.toml` in ")
    assert "\n\nhint: printf " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_verb_without_the_toolkit_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['msgspec'] = None\n")
    done = argosy("build", PYTHONPATH=str(tmp_path))
    assert done.returncode == main.EXIT_USAGE
    assert "`argosy build` needs the toolkit, and `msgspec` is not installed" in done.stderr
    assert "hint: pip install 'argosy[toolkit]'" in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.ProjectError("x"), 2),
        (errors.InvalidReferenceError("x"), 2),
        (errors.EngineError("x"), 3),
        (errors.NetworkError("x"), 3),
        (errors.RegistryError("x"), 3),
        (errors.NotScannedError("x"), 3),
        (errors.AwsError("sts:GetCallerIdentity"), 3),
        (errors.PlanError("x"), 1),
        (errors.InvalidCallError("sagemaker:CreateModel"), 1),
        (errors.ImageError("x"), 1),
        (errors.TransformError("x"), 1),
        (errors.ContainerError("x"), 1),
    ],
)
def test_the_exit_code_says_whose_fault_it_is(error: ArgosyError, code: int) -> None:
    assert main.exit_code(error) == code
