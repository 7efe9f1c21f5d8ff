"""One run of real servers: a small project of ours, and a server that describes nothing."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy import project
from argosy.cli.simulation import subject as simulated
from argosy.conformance.probes import Request, invocation
from argosy.errors import ContainerError
from argosy.marketplace.listing import Parameter, Sample
from argosy.project import Project
from argosy.publishing.demands import failed_demands
from argosy.publishing.description import stored
from argosy.publishing.description.description import Description
from argosy.publishing.description.run import Subject, describe
from tests.publishing.description.described import DIGEST, LIMITS, SAMPLE, TABLE, flowers, foreign
from tests.publishing.test_demands import TODAY

MADE = "2026-11-23T08:00:00+00:00"
ANSWER = '[{"name":"setosa","probability":0.75},{"name":"virginica","probability":0.75}]'


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Description]]:
    found = flowers(tmp_path_factory.mktemp("run") / "flowers")
    with simulated.Subject(str(found.root), "process").opener({}) as open_one:
        yield found, describe(Subject("flowers", DIGEST, open_one, LIMITS, found), 0.05, MADE)


def test_samples_are_the_sellers_and_the_models_own_answers(described: tuple[Project, Description]) -> None:
    usage = described[1].usage
    assert usage.input.realtime_sample == usage.input.batch_sample == Sample(text=SAMPLE)
    assert usage.output.realtime_sample == usage.output.batch_sample == Sample(text=ANSWER)


def test_parameters_are_the_predictors_annotations(described: tuple[Project, Description]) -> None:
    usage = described[1].usage
    assert usage.input.parameters == (
        Parameter("sepal", "Number.", "", True),
        Parameter("colour", "String.", "default `red`", False),
    )
    assert [(one.name, one.always_returned) for one in usage.output.parameters] == [
        ("name", True),
        ("probability", True),
    ]


def test_what_the_package_does_not_take_is_not_told(described: tuple[Project, Description]) -> None:
    assert "application/json: `Flower` object" in described[1].usage.input.description
    assert "text/csv" not in described[1].usage.input.description


def test_it_says_how_it_was_run(described: tuple[Project, Description]) -> None:
    _, found = described
    assert (found.title, found.digest, found.made_at, found.notes) == ("Iris", DIGEST, MADE, ())
    assert found.limits.container == "process"
    assert found.measured is not None
    assert found.measured.request_bytes == len(SAMPLE)
    assert found.speed.startswith("Measured on the seller's machine, not on AWS, in a container with")


def test_what_was_found_out_meets_the_demands_on_it(described: tuple[Project, Description]) -> None:
    found, description = described
    before = {finding.clause.id for finding in failed_demands(found, TODAY)}
    stored.keep(found.root, description)
    after = {finding.clause.id for finding in failed_demands(stored.as_sold(found, DIGEST), TODAY)}
    assert after < before
    assert before - after >= {
        *("listing-speed", "usage-input", "usage-input-samples", "usage-output", "usage-output-samples"),
        "usage-instructions",
    }
    assert not {id_ for id_ in after if id_.startswith("usage-")} - {"usage-release", "usage-notebook-url"}


def of_stranger(folder: Path, *samples: Request, found: Project | None = None, **environ: str) -> Description:
    subject = Subject("stranger", DIGEST, lambda: foreign(folder, **environ), LIMITS, found, samples)
    return describe(subject, 0.01, MADE)


def test_of_a_stranger_only_what_is_seen_is_told(tmp_path: Path) -> None:
    found = of_stranger(tmp_path, invocation("text/csv", b"1,2\n", "sample `one.csv`"))
    assert found.title == ""
    assert found.usage.input.description.splitlines()[1] == "- text/csv"
    assert found.usage.output.description.splitlines()[1] == "- text/csv"
    assert found.usage.input.realtime_sample == found.usage.output.realtime_sample == Sample(text="1,2\n")
    assert found.usage.input.batch_sample == Sample()
    assert found.usage.input.parameters == ()
    assert found.usage.output.parameters == ()
    assert 'ContentType="text/csv"' in found.usage.instructions
    assert 'open("sample.csv", "rb")' in found.usage.instructions
    assert ["/openapi.json" in note for note in found.notes] == [True]


def test_without_a_sample_nothing_is_measured_and_it_says_so(tmp_path: Path) -> None:
    found = of_stranger(tmp_path)
    assert found.measured is None
    assert found.speed == found.usage.instructions == found.usage.input.description == ""
    assert "no sample was given" in found.notes[-1]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"\xff\xfe", "sample `one` is no text: put it on GitHub, and set its url"),
        (b"x" * 10_001, "sample `one` has 10,001 characters, and a sample at most 10,000"),
    ],
)
def test_a_sample_that_a_listing_cannot_hold_is_left_to_the_seller(tmp_path: Path, body: bytes, note: str) -> None:
    found = of_stranger(tmp_path, invocation("application/octet-stream", body, "sample `one`"))
    assert found.usage.input.realtime_sample == found.usage.output.realtime_sample == Sample()
    assert any(told.startswith(note) for told in found.notes)


def test_a_sample_that_fails_is_told_and_another_one_is_used(tmp_path: Path) -> None:
    bad = invocation("text/csv", b"STATUS-415", "sample `bad`", accept="text/csv")
    found = of_stranger(tmp_path, bad, invocation("text/plain", b"good", "sample `good`"))
    assert found.usage.input.realtime_sample == Sample(text="good")
    assert "not answered with success: sample `bad`, Content-Type text/csv, Accept text/csv: status 415" in found.notes


def test_a_strangers_media_type_is_no_code(tmp_path: Path) -> None:
    sample = invocation("text/plain", b"good", "sample `good`")
    headers = json.dumps({"Content-Type": 'x/y"); import os; ("'})
    text = of_stranger(tmp_path, sample, STAND_IN_HEADERS=headers).usage.instructions
    assert 'Accept="*/*"' in text
    assert "import os" not in text


def test_a_sample_that_ends_the_connection_is_told(tmp_path: Path) -> None:
    dropped = invocation("text/csv", b"DROP", "sample `dropped`")
    found = of_stranger(tmp_path, dropped, invocation("text/plain", b"good", "sample `good`"))
    assert found.notes[-1].startswith("not answered with success: sample `dropped`, Content-Type text/csv")


def test_where_no_sample_is_answered_there_is_nothing_to_describe(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="no sample is answered with success: got sample `bad`"):
        of_stranger(tmp_path, invocation("text/csv", b"STATUS-500", "sample `bad`"))


def test_what_does_not_start_is_said_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match=r"did not pass the ping health check: got it ended after .* exit code 3"):
        of_stranger(tmp_path, STAND_IN_MODE="crash")


def test_a_transform_job_that_cannot_be_run_is_a_note(tmp_path: Path) -> None:
    found = with_table(tmp_path / "flowers", {"split_type": "Lines"})
    notes = of_stranger(tmp_path, found=found).notes
    assert any(note.startswith("the validation's transform job cannot be run: ") for note in notes)


def with_table(root: Path, validation: Mapping[str, Any]) -> Project:
    """The flowers with another validation."""
    flowers(root)
    said = "\n".join(f"{name} = {value!r}" for name, value in validation.items())
    (root / "argosy.toml").write_text(TABLE.replace("[marketplace.account]", f"{said}\n[marketplace.account]"))
    return project.load(root)


def test_a_description_is_json_and_back(described: tuple[Project, Description]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(described[1]), type=Description) == described[1]
