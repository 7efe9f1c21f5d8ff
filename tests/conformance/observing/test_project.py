"""What is read of a project on disk, and what of it is not."""

import sys
from pathlib import Path

import pytest

from argosy import project
from argosy.aws import service_model
from argosy.conformance.case import Case
from argosy.conformance.observing import project as observing
from argosy.conformance.observing.project import NO_PROJECT, NO_TABLE, SCENES, observe_project, requests_of
from argosy.conformance.scenes.project import BuyerCode, Metered, Notebook, ProjectFacts
from argosy.marketplace.listing import Sample
from tests.conformance.sellers import CELLS, notebook_text

TABLE = """
[model]
predictor = "predictor:Model"
artifacts = "model"
bake = false
[serving]
content_types = ["application/json"]
[marketplace]
name = "vehicles"
[marketplace.instances]
realtime = ["ml.m5.large"]
batch = ["ml.m5.large"]
[marketplace.account]
repository = "vehicles"
bucket = "releases"
[marketplace.validation]
samples = "samples/"
expected = "expected"
role = "arn:aws:iam::123456789012:role/validation"
[marketplace.usage]
instructions = "Call it."
notebook = "notebook.ipynb"
[marketplace.usage.input]
realtime_sample = { file = "samples/deep/one.json" }
batch_sample = { file = "../secret.txt" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "samples/deep").mkdir(parents=True)
    (root / "model").mkdir()
    (root / "model/weights.bin").write_bytes(b"x" * 1000)
    (root / "predictor.py").write_text(
        "import argosy\nargosy.meter(2)\nargosy.meter(1, dimension='tokens')\nmeter(1, name)\n"
    )
    (root / "samples/deep/one.json").write_text('{"a": 1}')
    (root / "samples/.DS_Store").write_text("x")
    (root / "notebook.ipynb").write_text(notebook_text(*CELLS))
    (root / "argosy.toml").write_text(TABLE)
    (tmp_path / "secret.txt").write_text("it is secret")
    return root


def observed(folder: Path, image_bytes: int | None = None) -> Case:
    return observe_project(project.load(folder), image_bytes)


def facts_of(folder: Path) -> ProjectFacts:
    found = observed(folder).find(ProjectFacts)
    assert found is not None
    return found


def test_what_a_project_says_is_read(folder: Path) -> None:
    facts = facts_of(folder)
    assert facts.types.content_types == ("application/json",)
    assert facts.artifacts_bytes == 1000
    assert facts.image.startswith("123456789012.dkr.ecr.us-east-1.amazonaws.com/vehicles@sha256:")
    assert facts.samples is not None
    assert [(file.path, file.size, file.is_whole) for file in facts.samples.files] == [
        ("samples/deep/one.json", 8, True)
    ]
    assert facts.expected is not None
    assert facts.expected.fault == "is not there"
    assert facts.text_of(Sample(file="samples/deep/one.json")) == '{"a": 1}'
    assert facts.metered == (
        Metered("predictor.py:2", "inference.count"),
        Metered("predictor.py:3", "tokens"),
        Metered("predictor.py:4", None),
    )
    assert facts.image_bytes is None


def test_botocore_judges_the_request(folder: Path) -> None:
    api = facts_of(folder).api
    assert api is not None
    assert api.violations == ()
    assert "ml.m5.large" in api.batch
    assert api.batch <= api.realtime
    text = TABLE.replace('name = "vehicles"', 'name = "-"')
    (folder / "argosy.toml").write_text(text.replace('role = "arn:aws:iam::123456789012:role/validation"', ""))
    api = facts_of(folder).api
    assert api is not None
    assert ["modelPackageName" in sentence for sentence in api.violations] == [False, True]
    assert "validationSpecification" in api.violations[0]


def test_without_botocore_nothing_is_judged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service_model.load.cache_clear()
    for name in ("botocore", "botocore.loaders", "botocore.model"):
        monkeypatch.setitem(sys.modules, name, None)
    assert facts_of(folder).api is None


def test_no_file_outside_the_project_is_read(folder: Path) -> None:
    (folder / "samples/link.json").symlink_to(folder.parent / "secret.txt")
    facts = facts_of(folder)
    assert facts.files["../secret.txt"].fault == "leads out of the project folder"
    assert facts.samples is not None
    assert [file.fault for file in facts.samples.files] == ["", "leads out of the project folder"]
    assert "it is secret" not in repr(facts)
    (folder / "argosy.toml").write_text(TABLE.replace('samples = "samples/"', 'samples = ".."'))
    samples = facts_of(folder).samples
    assert samples is not None
    assert samples.fault == "leads out of the project folder"


def test_no_more_of_the_files_is_kept_than_memory_should_hold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "_HEADS", 10)
    (folder / "samples/two.json").write_text("x" * 100)
    files = facts_of(folder).samples
    assert files is not None
    assert sum(len(file.head) for file in files.files) <= 10
    assert [file.size for file in files.files] == [8, 100]
    monkeypatch.setattr(observing, "_MOST_FILES", 1)
    files = facts_of(folder).samples
    assert files is not None
    assert files.fault == "has more than 1 files"


def test_the_code_cells_of_the_notebook_are_read(folder: Path) -> None:
    case = observed(folder)
    notebook, code = case.find(Notebook), case.find(BuyerCode)
    assert notebook is not None
    assert notebook.cells == CELLS
    assert code is not None
    assert [place for place, _ in code.pieces] == ["usage.instructions", "notebook.ipynb"]


@pytest.mark.parametrize("content", ["{", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}', "[" * 100_000])
def test_what_is_no_notebook_is_a_fault(folder: Path, content: str) -> None:
    (folder / "notebook.ipynb").write_text(content)
    notebook = observed(folder).find(Notebook)
    assert notebook is not None
    assert notebook.fault.startswith("is no notebook")
    assert notebook.cells == ()


def test_a_project_that_sells_nothing_has_no_scene(folder: Path) -> None:
    (folder / "argosy.toml").write_text(TABLE.partition("[marketplace]")[0])
    case = observed(folder)
    assert case.scenes == {}
    assert case.absent == dict.fromkeys(SCENES, NO_TABLE)
    assert observe_project(None).absent == dict.fromkeys(SCENES, NO_PROJECT)


def test_a_project_without_a_notebook_says_so(folder: Path) -> None:
    (folder / "argosy.toml").write_text(TABLE.replace('notebook = "notebook.ipynb"', ""))
    case = observed(folder)
    assert Notebook in case.absent
    assert case.find(BuyerCode) is not None


def test_the_validations_sample_is_asked_for_in_each_response_type(folder: Path) -> None:
    said = TABLE.replace('name = "vehicles"', 'name = "vehicles"\nresponse_types = ["application/json", "text/csv"]')
    (folder / "argosy.toml").write_text(said)
    requests = requests_of(facts_of(folder))
    assert [(dict(one.headers)["Content-Type"], dict(one.headers)["Accept"], one.body) for one in requests] == [
        ("application/json", "application/json", b'{"a": 1}'),
        ("application/json", "text/csv", b'{"a": 1}'),
    ]


def test_each_content_type_is_sent_its_smallest_sample(folder: Path) -> None:
    (folder / "samples/deep/large.json").write_text('{"a": 1, "b": 2}')
    (folder / "samples/rows.csv").write_text("1,2\n")
    (folder / "samples/other").write_text("123456789")
    (folder / "few.npy").write_bytes(b"npy")
    types = '["application/json", "text/csv; header=absent", "application/x-npy", "image/png"]'
    said = TABLE.replace('content_types = ["application/json"]', f"content_types = {types}").replace(
        "../secret.txt", "few.npy"
    )
    (folder / "argosy.toml").write_text(said.replace('name = "vehicles"', 'name = "x"\nresponse_types = ["a/b"]'))
    facts = facts_of(folder)
    assert {type_: file.path for type_, file in facts.samples_by_type().items()} == {
        "application/json": "samples/deep/one.json",
        "text/csv; header=absent": "samples/rows.csv",
        "application/x-npy": "few.npy",
    }
    assert [one.body for one in requests_of(facts)] == [b'{"a": 1}', b"1,2\n", b"npy"]


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ('split_type = "Line"', b"1,2"),
        ('split_type = "Line"\nbatch_strategy = "MultiRecord"', b"1,2\n3,4\n"),
        ('split_type = "RecordIO"', None),
    ],
)
def test_an_endpoint_gets_what_the_job_would_send_in_one_request(
    folder: Path, settings: str, body: bytes | None
) -> None:
    (folder / "samples/deep/one.json").write_text("1,2\n3,4\n")
    (folder / "argosy.toml").write_text(TABLE.replace('samples = "samples/"', f'samples = "samples/"\n{settings}'))
    assert [one.body for one in requests_of(facts_of(folder))] == ([] if body is None else [body])
