"""The workflows that docs/how-to/check-in-ci.md shows: valid YAML, and the very commands that the page runs.

`tests/test_docs.py` runs the commands themselves.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.cli.check import command as check
from argosy.cli.doctor import command as doctor
from tests import pages

PAGE = (Path(__file__).parent.parent / "docs/how-to/check-in-ci.md").read_text()
COMMANDS = [block.text for block in pages.blocks(PAGE) if block.language == "sh"]


def workflow(name: str) -> Any:
    """A workflow as its service parses it (any YAML, hence `Any`)."""
    (text,) = (block.text for block in pages.blocks(PAGE) if block.text.startswith(f"# {name}\n"))
    return yaml.safe_load(text)


def steps() -> list[dict[str, Any]]:
    (job,) = workflow(".github/workflows/check-image.yml")["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def github() -> list[str]:
    return [step["run"] for step in steps() if "run" in step]


def gitlab() -> list[str]:
    script: list[str] = workflow(".gitlab-ci.yml")["check-image"]["script"]
    return script


def argosy_lines(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines if line.startswith("argosy ")]


def test_the_page_runs_what_the_workflows_run() -> None:
    (block,) = COMMANDS
    shown = argosy_lines(block.splitlines())
    assert [line.split()[1] for line in shown] == ["doctor", "build", "check"]
    assert argosy_lines(gitlab()) == shown
    # GitHub's runners have Docker, and allow no sandbox.
    assert argosy_lines(github()) == [line.replace("--container sandbox", "--container docker") for line in shown]


@pytest.mark.parametrize("lines", [github(), gitlab()], ids=["github", "gitlab"])
def test_a_workflow_installs_what_it_runs(lines: list[str]) -> None:
    assert lines[0] == "pip install 'argosy[toolkit]'"


def test_every_report_that_is_written_is_kept_and_no_other() -> None:
    written = {path for line in github() for path in re.findall(r"--report \w+:(\S+)", line)}
    kept = {step["with"]["sarif_file"] for step in steps() if "upload-sarif" in step.get("uses", "")}
    for step in steps():
        if "upload-artifact" in step.get("uses", ""):
            kept |= set(step["with"]["path"].split())
    assert written == kept == {"build/check.sarif", "build/check.xml", "build/check.html"}
    artifacts = workflow(".gitlab-ci.yml")["check-image"]["artifacts"]
    assert {*artifacts["paths"], artifacts["reports"]["junit"]} == written
    assert artifacts["when"] == "always"
    assert all(step["if"] == "always()" for step in steps() if "upload" in step.get("uses", ""))


def test_every_option_in_the_workflows_exists() -> None:
    known = {option for verb in (check, doctor) for parameter in verb.params for option in parameter.opts}
    lines = [line for line in argosy_lines(github()) if not line.startswith("argosy build")]
    assert {option for line in lines for option in re.findall(r"--[\w-]+", line)} <= known
