from pathlib import Path

import pytest

from argosy.contract import Variable
from argosy.errors import UsageError
from argosy.serving.settings import BATCH_DEADLINE_S, REALTIME_DEADLINE_S, from_environ

NAMED: dict[str, str] = {Variable.PREDICTOR: "predictor:Model"}


def test_nothing_must_be_told() -> None:
    assert from_environ({}) == from_environ({Variable.PREDICTOR: ""})
    assert from_environ({}).predictor is None
    told = from_environ(NAMED)
    assert (told.predictor, told.port, told.host) == ("predictor:Model", 8080, "0.0.0.0")
    assert told.workers >= 1
    assert told.model_dir == Path("/opt/ml/model")


def test_a_transform_job_may_take_longer_than_an_endpoint() -> None:
    assert from_environ(NAMED).deadline_s == REALTIME_DEADLINE_S
    assert from_environ({**NAMED, "SAGEMAKER_BATCH": "true"}).deadline_s == BATCH_DEADLINE_S
    assert from_environ({**NAMED, "SAGEMAKER_BATCH": "true", Variable.DEADLINE_S: "7"}).deadline_s == 7


def test_content_types_are_lower_case_and_trimmed() -> None:
    told = from_environ({**NAMED, Variable.CONTENT_TYPES: "Text/CSV, application/json"})
    assert told.content_types == ("text/csv", "application/json")


@pytest.mark.parametrize(("in_platform", "want"), [(True, "platform"), (False, "baked")])
def test_artifacts_of_the_platform_win_over_baked_ones_unless_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_platform: bool, want: str
) -> None:
    platform, baked = tmp_path / "platform", tmp_path / "baked"
    platform.mkdir()
    baked.mkdir()
    if in_platform:
        (platform / "model.bin").touch()
    monkeypatch.setattr("argosy.contract.MODEL_DIR", str(platform))
    assert from_environ({**NAMED, Variable.BAKED_MODEL_DIR: str(baked)}).model_dir == tmp_path / want
    told = {**NAMED, Variable.BAKED_MODEL_DIR: str(baked), Variable.MODEL_DIR: "/elsewhere"}
    assert from_environ(told).model_dir == Path("/elsewhere")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (Variable.WORKERS, "257"),
        (Variable.WORKERS, "²"),
        (Variable.QUEUE, "0"),
        (Variable.MAX_BODY_MB, "-1"),
        (Variable.DEADLINE_S, "nan"),
        (Variable.DEADLINE_S, "soon"),
        ("SAGEMAKER_BIND_TO_PORT", "65536"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        from_environ({**NAMED, name: value})
