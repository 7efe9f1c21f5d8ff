"""`argosy kit` as a user types it: what it refuses, what it remembers. tests/publishing/kit has what it writes."""

import json
from pathlib import Path

import click
import pytest

from argosy.cli.selling.kit import command
from argosy.errors import ProjectError, UsageError

ARN = "arn:aws:sagemaker:eu-west-1:865070037744:model-package/echo-1"
PREDICTOR = """
from argosy import Predictor

class Echo(Predictor):
    def predict(self, rows: list) -> list:
        return rows
"""
TABLE = """
[model]
predictor = "predictor:Echo"
[serving]
workers = 1
content_types = ["application/json"]
[marketplace]
name = "echo"
regions = ["eu-west-1", "us-east-1"]
[marketplace.instances]
realtime = ["ml.m5.large"]
[marketplace.usage.input]
realtime_sample = { file = "one.json" }
"""


@pytest.fixture
def seller(tmp_path: Path) -> Path:
    (tmp_path / "predictor.py").write_text(PREDICTOR)
    (tmp_path / "argosy.toml").write_text(TABLE)
    (tmp_path / "one.json").write_text("[1]")
    return tmp_path


def run(*arguments: object) -> object:
    return command.main(list(map(str, arguments)), standalone_mode=False)


def test_addresses_are_kept_from_one_kit_to_the_next(seller: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(seller, "--arn", f"eu-west-1={ARN}") == 0
    shown = capsys.readouterr()
    assert "no model package is known in us-east-1" in shown.err
    assert "echo.ipynb" in shown.out
    assert run(seller, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["lacking"]) == ([], ["us-east-1"])
    assert told["model_package_arns"] == {"eu-west-1": ARN}
    (seller / "argosy.toml").write_text(TABLE.replace('name = "echo"', 'name = "echo"\nversion = "2.0.0"'))
    assert run(seller, "--json") == 0
    assert json.loads(capsys.readouterr().out)["model_package_arns"] == {}, "a new version has packages of its own"


@pytest.mark.parametrize(
    ("text", "arguments", "fault"),
    [
        ("[marketplace]", [], "`marketplace.name` is not said"),
        ("", [], "there is no `[marketplace]` table"),
        ('[marketplace]\nname = "echo"', [], "`marketplace.instances.realtime` names no instance type"),
        (TABLE, ["--arn", "eu-west-1"], "is not REGION=ARN"),
        (TABLE, ["--arn", f"us-east-1={ARN}"], "is in eu-west-1, not in us-east-1"),
        (TABLE, ["--arn", "us-east-1=arn:aws:x"], "no ARN of a model package"),
    ],
)
def test_what_cannot_be_a_kit_is_refused(text: str, arguments: list[str], fault: str, seller: Path) -> None:
    whole = text if "[model]" in text else f'[model]\npredictor = "predictor:Echo"\n{text}\n'
    (seller / "argosy.toml").write_text(whole)
    with pytest.raises((ProjectError, UsageError, click.UsageError)) as raised:
        run(seller, *arguments)
    assert fault in str(raised.value)
    assert not (seller / "build").exists()


def test_a_damaged_map_of_regions_is_told(seller: Path) -> None:
    (seller / "build/kit").mkdir(parents=True)
    (seller / "build/kit/regions.json").write_text("{")
    with pytest.raises(UsageError, match="what an earlier kit wrote cannot be read"):
        run(seller)
