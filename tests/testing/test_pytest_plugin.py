"""The plugin as its users have it: a project folder with ten lines of tests, run by pytest in a process of its own."""

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent.parent / "examples/breast-cancer"
TESTS = """
import pathlib, httpx, pytest

ROW = pathlib.Path("{example}/data/cases-b.csv").read_text().splitlines()[0]

def test_an_endpoint(sagemaker_runtime, sagemaker_endpoint):
    answer = sagemaker_runtime.invoke_endpoint(
        EndpointName=sagemaker_endpoint.name, ContentType="text/csv", Accept="text/csv", Body=ROW)
    assert len(answer["Body"].read().split(b",")) == 2

def test_it_is_the_same_for_every_test(sagemaker_endpoint, request):
    request.config.url = sagemaker_endpoint.url

def test_a_bad_row(sagemaker_runtime, sagemaker_endpoint):
    with pytest.raises(sagemaker_runtime.exceptions.ModelError):
        sagemaker_runtime.invoke_endpoint(EndpointName=sagemaker_endpoint.name, ContentType="text/csv", Body="x,y")
    assert any("424" in line for line in sagemaker_endpoint.reports)

def test_a_transform_job(transform_job):
    done = transform_job(ROW + "\\n" + ROW + "\\n", TransformInput={{"ContentType": "text/csv", "SplitType": "Line"}},
                         TransformOutput={{"Accept": "text/csv", "AssembleWith": "Line"}})
    assert done.outcome.status == "Completed", done.log
    assert len(done.outputs["input.out"].splitlines()) == 2

def test_a_folder_with_a_bad_object(transform_job, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/good.csv").write_text(ROW)
    (tmp_path / "in/bad.csv").write_text("x,y")
    done = transform_job(tmp_path / "in", TransformInput={{"ContentType": "text/csv"}})
    assert done.outcome.failure_reason.startswith("ClientError")
    assert list(done.outputs) == ["good.csv.out"]
    assert any("bad.csv: ClientError: 400" in line for line in done.log)

def test_a_container(container):
    assert httpx.get(container.url + "/ping").status_code == 200
    container.terminate()
    assert container.wait(30) == 0
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(TESTS.format(example=EXAMPLE))
    return pytester


def test_its_fixtures_work_for_a_project(project: pytest.Pytester) -> None:
    project.makeini(f"[pytest]\nargosy_target = {EXAMPLE}\nargosy_container = process\n")
    project.runpytest_subprocess("-W", "error").assert_outcomes(passed=6)


def test_a_target_that_is_not_there_is_an_error_that_says_so(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--argosy-target", "oci:nowhere:latest", "--argosy-container", "process")
    result.assert_outcomes(errors=4, failed=2)
    result.stdout.fnmatch_lines(["*nowhere*"])


def test_nothing_of_the_simulator_is_imported_before_a_fixture_is_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_it(): assert not [n for n in sys.modules if n.startswith('argosy.simulator')]"
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
