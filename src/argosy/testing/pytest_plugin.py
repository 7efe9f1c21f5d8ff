"""The pytest plugin: an image or project as SageMaker runs it, as fixtures.

Loaded by pytest wherever Argosy is installed. Nothing is imported or started before a test asks for a fixture.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from argosy.cli.simulation.subject import Subject
    from argosy.simulator.containers.container import Container
    from argosy.testing.local import LocalEndpoint, TransformResult
    from argosy.testing.local_aws import LocalAwsServer

_TARGET = "argosy_target"
_KIND = "argosy_container"
_MODEL = "argosy_model_data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings, each in pytest's configuration or on its command line."""
    group = parser.getgroup("argosy", "an inference image as Amazon SageMaker runs it")
    for name, text in (
        (_TARGET, "image reference or project folder that the fixtures run; the root folder unless given"),
        (_KIND, "what runs it: docker, podman, sandbox or process; what this machine has unless given"),
        (_MODEL, "model.tar.gz that is unpacked to /opt/ml/model"),
    ):
        parser.addini(name, text)
        group.addoption(f"--{name.replace('_', '-')}", dest=name, help=text)


@pytest.fixture(scope="session")
def sagemaker_subject(pytestconfig: pytest.Config) -> "Subject":
    """What the other fixtures run; override it to set the environment or to build the image first."""
    from argosy.cli.simulation.subject import Subject

    def chosen(name: str) -> str | None:
        return pytestconfig.getoption(name) or pytestconfig.getini(name) or None

    root = pytestconfig.rootpath
    target, model = chosen(_TARGET), chosen(_MODEL)
    if target is None or (root / target).is_dir():
        target = str(root / (target or "."))
    return Subject(target, chosen(_KIND), root / model if model else None)


@pytest.fixture(scope="session")
def sagemaker_endpoint(sagemaker_subject: "Subject") -> Iterator["LocalEndpoint"]:
    """An endpoint in service, the same for all tests: `.name`, `.url`, `.reports`, `.runtime()`."""
    from argosy.testing.local import sagemaker_endpoint as serving

    with serving(sagemaker_subject) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def sagemaker_runtime(sagemaker_endpoint: "LocalEndpoint") -> Any:  # boto3 makes its clients' classes at run time
    """An unmodified boto3 client of `sagemaker-runtime` for the endpoint; it repeats nothing that fails."""
    return sagemaker_endpoint.runtime()


@pytest.fixture
def transform_job(sagemaker_subject: "Subject", tmp_path: Path) -> Callable[..., "TransformResult"]:
    """Runs a transform job over a folder, a file or a text: `transform_job("1,2", TransformInput={...})`.

    The keywords are members of CreateTransformJob as the API spells them. What comes back has `.outcome`, `.outputs`
    (the results by key) and `.log`. A text is the object `input`.
    """
    from argosy.testing.local import transform_job as run

    def job(source: Path | str | bytes, **request: Mapping[str, Any]) -> "TransformResult":
        if not isinstance(source, Path):
            (tmp_path / "objects").mkdir(exist_ok=True)
            body = source.encode() if isinstance(source, str) else source
            source = tmp_path / "objects" / "input"
            source.write_bytes(body)
        return run(sagemaker_subject, source, request)

    return job


@pytest.fixture
def container(sagemaker_subject: "Subject") -> Iterator["Container"]:
    """A healthy container of this test's own: `.url`, `.logs()`, `.terminate()`, `.wait(seconds)`, …."""
    from argosy.testing.local import container as running

    with running(sagemaker_subject) as opened:
        yield opened


@pytest.fixture(scope="session")
def local_aws() -> Iterator["LocalAwsServer"]:
    """AWS in this process, the same for all tests: `.url`, `.environment()`, `.client("s3")`, `.after_write()`, ….

    Two accounts: `argosy.testing.local_aws.SELLER` and `BUYER`. Tests share it, so each takes names of its own.
    """
    from argosy.testing.local_aws import local_aws as serving

    with serving() as aws:
        yield aws
