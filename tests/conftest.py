"""What all tests share: how they are spread over processes; the engine's are run or loudly left out, never skipped."""

import os
import signal

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling, Scheduling
from xdist.workermanage import WorkerController

_LEFT_OUT = pytest.StashKey[dict[str, int]]()
ONE_AT_A_TIME = "one-at-a-time"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-engines", action="store_true", help="run the tests that need a second, newer Docker, too")
    parser.addoption("--without-engine", action="store_true", help="leave out the tests that need a container engine")


def pytest_configure(config: pytest.Config) -> None:
    """A shell starts what runs in its background with SIGINT ignored, and every child inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_LEFT_OUT] = {}


class _ByFile(LoadGroupScheduling):  # type: ignore[misc] # xdist has no types
    """A file's tests are run by one process, which then makes what they share once; so are those of a group."""

    def _split_scope(self, nodeid: str) -> str:
        group: str = super()._split_scope(nodeid)
        return group.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Take the files in the order in which they were collected, and not those with the most tests first."""
    config.option.loadscopereorder = False
    return _ByFile(config, log)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first, so that no process has to work alone at the end.

    What uses the engine, or a port that a document names, is never run at the same time: both are there once.
    """
    for item in items:
        if item.get_closest_marker("engine") or item.path.parent.name == "scenarios":
            item.add_marker(pytest.mark.xdist_group(ONE_AT_A_TIME))
    items.sort(key=lambda item: (not item.get_closest_marker("xdist_group"), not item.get_closest_marker("slow")))
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
