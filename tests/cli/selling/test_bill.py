"""`argosy bill` as a user types it, over a small project that meters what it predicts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest

from argosy.cli.selling.bill import command
from argosy.errors import ProjectError, UsageError

ROOT = Path(__file__).parents[3]
PREDICTOR = """
import argosy

class Rows(argosy.Predictor):
    def predict(self, rows: list) -> list:
        if rows == ["bad"]:
            raise argosy.DecodeError("no row")
        argosy.meter(len(rows))
        return rows
"""
TABLE = """
[model]
predictor = "predictor:Rows"
[serving]
workers = 1
[marketplace]
name = "rows"
[marketplace.instances]
realtime = ["ml.m5.large"]
batch = ["ml.m5.xlarge"]
[marketplace.pricing]
model = "per-inference"
per_inference = "0.0001"
batch = { "ml.m5.xlarge" = "0.40" }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "predictor.py").write_text(PREDICTOR)
    (tmp_path / "argosy.toml").write_text(TABLE)
    requests = [{"body": "[1, 2, 3]", "expected": 3}, {"body": '["bad"]'}, {"body": "[4]"}]
    (tmp_path / "requests.jsonl").write_text("\n".join(map(json.dumps, requests)))
    return tmp_path


def bill(shop: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    called = [sys.executable, "-m", "argosy", "bill", *map(str, arguments)]
    environ = {**os.environ, "ARGOSY_CACHE_DIR": str(shop / "cache")}
    return subprocess.run(called, capture_output=True, text=True, cwd=shop, env=environ, timeout=60)


def test_requests_are_charged_as_the_project_meters_them(shop: Path) -> None:
    done = bill(shop, ".", "--requests", "requests.jsonl", "--batch-hours", "2", "--batch-instances", "3", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    jsonschema.validate(told, json.loads((ROOT / "docs/reference/bill.schema.json").read_text()))
    assert [(line["dimension"], line["quantity"], line["amount"]) for line in told["lines"]] == [
        ("inference.count", "4", "0.0004"),
        ("ml.m5.xlarge.m.i.b", "360", "2.4"),
    ]
    assert (told["total"], told["usage"]["errors"]) == ("2.4004", [{"status": 400, "count": 1}])


def test_an_unexpected_count_fails(shop: Path) -> None:
    (shop / "requests.jsonl").write_text('{"body": "[1, 2]", "expected": 3}')
    done = bill(shop, ".", "--requests", "requests.jsonl")
    assert done.returncode == 1, done.stderr
    assert "requests.jsonl:1: it is charged as 2, and 3 were expected" in done.stdout


def test_hours_alone_start_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(shop), "--batch-hours", "1"], standalone_mode=False) == 0
    shown = capsys.readouterr()
    assert "InService" not in shown.err
    assert "0.40" in shown.out


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((".",), "there is nothing to bill"),
        ((".", "--hours", "-1"), "no number of hours"),
        ((".", "--hours", "a lot"), "no number of hours"),
        ((".", "--instances", "2"), "says nothing of how long they run"),
        ((".", "--hours", "1", "--instances", "m5.large=1"), "is not TYPE=N"),
        ((".", "--hours", "1", "--instances", "ml.m5.large="), "is not TYPE=N"),
        ((".", "--batch-hours", "1", "--batch-instances", "ml.c5.large=1"), "has no price of `ml.c5.large`"),
        (("oci:out", "--hours", "1"), "nothing says what an image costs"),
        (
            (".", "--requests", "requests.jsonl", "--url", "https://runtime.example/endpoints/e"),
            "no URL of a container",
        ),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    arguments: tuple[str, ...], fault: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    with pytest.raises((UsageError, click.UsageError)) as raised:
        command.main(list(arguments), standalone_mode=False)
    assert fault in str(raised.value)


def test_a_project_that_sells_nothing_has_no_prices(shop: Path) -> None:
    (shop / "argosy.toml").write_text('[model]\npredictor = "predictor:Rows"\n')
    with pytest.raises(ProjectError, match=r"there is no `\[marketplace\]` table"):
        command.main([str(shop), "--hours", "1"], standalone_mode=False)
