"""A model is run once: a project's own server, over the samples that the project names."""

import asyncio
from pathlib import Path

import pytest

from argosy import project
from argosy.cli.simulation.subject import Subject
from argosy.conformance.observing.project import observe_project
from argosy.conformance.scenes.project import ProjectFacts
from argosy.errors import ContainerError, ProjectError, TransformError
from argosy.publishing.kit.contents import Case, Observed
from argosy.publishing.kit.observed import observe

PREDICTOR = """
from argosy import DecodeError, Predictor

class Double(Predictor):
    def predict(self, rows: list) -> list:
        if rows == [[0]] or rows == [0]:
            raise DecodeError("nothing to double")
        return [[2 * cell for cell in row] for row in rows]
"""
TABLE = """
[model]
predictor = "predictor:Double"
[serving]
workers = 1
content_types = ["application/json"]
[marketplace]
name = "double"
[marketplace.instances]
realtime = ["ml.m5.large"]
batch = ["ml.m5.large"]
[marketplace.account]
bucket = "releases"
"""


@pytest.fixture
def seller(tmp_path: Path) -> Path:
    (tmp_path / "predictor.py").write_text(PREDICTOR)
    (tmp_path / "argosy.toml").write_text(TABLE + '[marketplace.validation]\nsamples = "samples"\n')
    (tmp_path / "samples/more").mkdir(parents=True)
    (tmp_path / "samples/one.json").write_text("[[1, 2]]")
    (tmp_path / "samples/more/one.json").write_text("[[30, 40]]")
    return tmp_path


def observed(folder: Path) -> Observed:
    facts = observe_project(project.load(folder)).find(ProjectFacts)
    assert facts is not None
    with Subject(str(folder)).opener({}) as open_one:
        return asyncio.run(observe(open_one(), facts))


def test_samples_are_answered_one_by_one_and_by_a_transform_job(seller: Path) -> None:
    found = observed(seller)
    json = "application/json"
    assert found.realtime == (Case("one.json", json, json, b"[[1, 2]]", b"[[2,4]]"),)
    assert found.batch == (
        Case("one.json", json, json, b"[[1, 2]]", b"[[2,4]]"),
        Case("one-2.json", json, json, b"[[30, 40]]", b"[[60,80]]"),
    )
    assert found.schema is not None
    assert found.schema["info"]["title"] == "Double"
    assert not found.is_streaming


def test_a_sample_that_the_model_refuses_is_no_sample_for_buyers(seller: Path) -> None:
    (seller / "samples/one.json").write_text("[[0]]")
    with pytest.raises(ContainerError, match=r"not answered with success: got 400: .*nothing to double"):
        observed(seller)


def test_a_job_that_fails_is_told_with_its_reason(seller: Path) -> None:
    text = (
        TABLE
        + '[marketplace.validation]\nsamples = "samples"\n'
        + '[marketplace.usage.input]\nrealtime_sample = { file = "a.json" }\n'
    )
    (seller / "argosy.toml").write_text(text)
    (seller / "a.json").write_text("[]")
    (seller / "samples/more/one.json").write_text("[[0]]  ")
    with pytest.raises(TransformError, match="the validation's transform job failed"):
        observed(seller)


def test_a_project_without_samples_has_nothing_to_show(seller: Path) -> None:
    (seller / "argosy.toml").write_text(TABLE)
    with pytest.raises(ProjectError, match="no sample that an endpoint could be sent"):
        observed(seller)
