"""What all tests share: how they are spread over processes; the engine's are run or loudly left out, never skipped."""

import functools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling
from xdist.workermanage import WorkerController

if TYPE_CHECKING:
    from argosy.testing.local_aws import LocalAwsServer
    from tests.local_aws.stand_in import Push

_LEFT_OUT = pytest.StashKey[dict[str, int]]()
_ONE_AT_A_TIME = "one at a time"
_ONE_BY_ONE = "tests/flavors/test_table.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-engines", action="store_true", help="run the tests that need a second, newer Docker, too")
    parser.addoption("--without-engine", action="store_true", help="leave out the tests that need a container engine")
    parser.addoption("--without-browser", action="store_true", help="leave out the tests that need Chromium")


def pytest_configure(config: pytest.Config) -> None:
    """A shell starts what runs in its background with SIGINT ignored, and every child inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_LEFT_OUT] = {}


@functools.cache
def _group(file: Path) -> str:
    """Which files' tests share a process; the process that gives the tests out sees no marks, only names.

    What uses the engine is never run at the same time: names of images, and port 8080, are there once. The scenarios
    share what they have built.
    """
    uses_engine = "mark.engine" in file.read_text() or file.parent.name == "scenarios"
    return _ONE_AT_A_TIME if uses_engine else str(file)


class _ByGroup(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """The tests of a file, or of several, are run by one process, which then makes what they share once.

    The rows of the table of flavors share nothing and take longest: each is taken by whoever has nothing to do.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file == _ONE_BY_ONE else _group(self.config.rootpath / file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Take the tests in the order in which they were collected, and not the files with the most tests first."""
    config.option.loadscopereorder = False
    return _ByGroup(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first, so that no process has to work alone at the end."""
    items.sort(key=lambda item: (_group(item.path) != _ONE_AT_A_TIME, not item.get_closest_marker("slow")))
    for option, marks in _left_out_marks(config).items():
        without = [item for item in items if any(item.get_closest_marker(mark) for mark in marks)]
        config.stash[_LEFT_OUT][option] = len(without)
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
    # A process that xdist has started tells it: the one that reports collects nothing.
    getattr(config, "workeroutput", {})["left_out"] = config.stash[_LEFT_OUT]


def pytest_testnodedown(node: WorkerController) -> None:
    """Take over what a process has left out; each has left out the same."""
    node.config.stash[_LEFT_OUT].update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = {option: count for option, count in config.stash[_LEFT_OUT].items() if count}
    if counts:
        terminalreporter.section("NOT RUN", yellow=True, bold=True)
    for option, count in counts.items():
        terminalreporter.line(f"{count} tests {option}")


def _left_out_marks(config: pytest.Config) -> dict[str, tuple[str, ...]]:
    """Why tests are left out, and those of which marks."""
    found: dict[str, tuple[str, ...]] = {}
    if config.getoption("--without-engine"):
        reason = "need a container engine and a registry (mark `engine`): run scripts/test as root"
        found[reason] = ("engine",)
    if config.getoption("--without-browser"):
        found["need Chromium (mark `browser`): scripts/browser installs it as root"] = ("browser",)
    if not config.getoption("--all-engines"):
        found["need Docker 26 beside Docker 20.10 (mark `docker_26`): scripts/test --all-engines"] = ("docker_26",)
    return found


@pytest.fixture(scope="session")
def registry() -> str:
    """`host:port` of a registry on loopback, plain HTTP, empty or not."""
    address = os.environ.get("ARGOSY_TEST_REGISTRY")
    if not address:
        pytest.fail('no registry: eval "$(scripts/engine up)", or run scripts/test', pytrace=False)
    return address


@pytest.fixture(scope="module")
def local_aws() -> Iterator["LocalAwsServer"]:
    """AWS whose containers are stand-ins; one for each file, since a process has one at a time."""
    from argosy.testing.local_aws import local_aws as serving  # not every test has to wait until moto is imported
    from tests.local_aws.stand_in import open_stand_in

    with serving(open_image=open_stand_in) as aws:
        yield aws


@pytest.fixture(scope="module")
def push(local_aws: "LocalAwsServer", tmp_path_factory: pytest.TempPathFactory) -> "Push":
    """Pushes images into the local ECR."""
    from tests.local_aws.stand_in import Push

    return Push(local_aws, tmp_path_factory.mktemp("cache"))
