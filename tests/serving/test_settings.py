from pathlib import Path

import pytest

from argosy.contract import Variable
from argosy.errors import UsageError
from argosy.serving.settings import (
    BATCH_DEADLINE_S,
    REALTIME_DEADLINE_S,
    Batching,
    BatchTransform,
    Logs,
    ScriptPlace,
    Streaming,
    cpu_count,
    environment,
    from_environ,
)

NAMED: dict[str, str] = {Variable.PREDICTOR: "predictor:Model"}


def test_nothing_must_be_told() -> None:
    assert from_environ({}) == from_environ({Variable.PREDICTOR: ""})
    assert from_environ({}).predictor is None
    told = from_environ(NAMED)
    assert (told.predictor, told.port, told.host) == ("predictor:Model", 8080, "0.0.0.0")
    assert told.workers >= 1
    assert told.model_dir == Path("/opt/ml/model")


def test_what_nobody_tells_has_a_default() -> None:
    told = from_environ({})
    assert (told.batching, told.streaming, told.logs) == (Batching(None, 0), Streaming(64, 480), Logs("errors", None))
    assert (told.warm_up, told.session_ttl_s, told.is_multi_model, told.batch_transform) == ((), 0, False, None)
    assert (told.safe_ports, told.script) == (None, ScriptPlace(None, "inference.py", None, "application/json"))


def test_the_number_of_workers_is_told_or_chosen() -> None:
    chosen = from_environ({Variable.WORKERS: "0"})
    assert chosen.workers_are_chosen
    assert chosen.max_workers == cpu_count()
    told = from_environ({Variable.WORKERS: "3"})
    assert (told.max_workers, told.workers_are_chosen) == (3, False)


def test_samples_lie_in_the_programs_folder() -> None:
    told = from_environ({Variable.PROGRAM_DIR: "/opt/program", Variable.WARM_UP: "samples/one.json:rows.csv"})
    assert told.warm_up == (Path("/opt/program/samples/one.json"), Path("/opt/program/rows.csv"))


def test_a_transform_job_tells_its_containers_what_its_user_set() -> None:
    assert from_environ({"SAGEMAKER_BATCH": "true"}).batch_transform == BatchTransform()
    told = from_environ(
        {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0",
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "8",
        }
    )
    assert told.batch_transform == BatchTransform(0, "SINGLE_RECORD", 8)
    assert from_environ({"SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD"}).batch_transform is None


def test_the_platform_says_which_ports_are_free_and_whether_there_are_many_models() -> None:
    told = from_environ({"SAGEMAKER_SAFE_PORT_RANGE": "8081-8090", "SAGEMAKER_MULTI_MODEL": "true"})
    assert told.safe_ports == (8081, 8090)
    assert told.is_multi_model


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_SAFE_PORT_RANGE", "8090-8081"),
        ("SAGEMAKER_SAFE_PORT_RANGE", "8081"),
        ("SAGEMAKER_MULTI_MODEL", "yes"),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "six"),
        ("SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", "-1"),
        ("SAGEMAKER_BATCH_STRATEGY", "EVERY_RECORD"),
    ],
)
def test_a_word_of_the_platform_that_is_not_known_is_logged_and_left_out(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[dict[str, object]] = []
    monkeypatch.setattr("argosy.serving.log.event", lambda event, **fields: events.append({"event": event, **fields}))
    job = {"SAGEMAKER_BATCH": "true"}
    assert from_environ({**job, name: value}) == from_environ(job)
    assert [(event["event"], event["variable"]) for event in events] == [("variable-ignored", name)]


def test_a_submit_directory_in_s3_is_none_here() -> None:
    told = from_environ({"SAGEMAKER_SUBMIT_DIRECTORY": "s3://bucket/sourcedir.tar.gz", "SAGEMAKER_PROGRAM": "entry.py"})
    assert told.script == ScriptPlace(program="entry.py")
    there = from_environ({"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code", Variable.INFERENCE_SCRIPT: "mine.py"})
    assert there.script == ScriptPlace(Path("mine.py"), submit_dir=Path("/opt/ml/model/code"))


def test_what_is_started_finds_the_artifacts_as_in_the_images_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.MODEL_DIR, "/models/mine")
    monkeypatch.delenv("SM_MODEL_DIR", raising=False)
    assert environment()["SM_MODEL_DIR"] == "/models/mine"
    monkeypatch.setenv("SM_MODEL_DIR", "/models/other")
    assert environment()["SM_MODEL_DIR"] == "/models/other"


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
        (Variable.STREAM_DEADLINE_S, "0"),
        (Variable.MAX_BATCH_SIZE, "0"),
        (Variable.MAX_DELAY_MS, "-1"),
        (Variable.MAX_DELAY_MS, "inf"),
        (Variable.CONCURRENCY, "0"),
        (Variable.SESSION_TTL_S, "1.5"),
        (Variable.LOG_INVOCATIONS, "some"),
        (Variable.LOG_EXCEPTIONS, "some"),
        ("SAGEMAKER_BIND_TO_PORT", "65536"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        from_environ({**NAMED, name: value})
