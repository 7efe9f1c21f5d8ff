"""What all tests share: the engine's tests are run or loudly left out, never skipped."""

import os
import signal

import pytest

_LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-engines", action="store_true", help="run the tests that need a second, newer Docker, too")
    parser.addoption("--without-engine", action="store_true", help="leave out the tests that need a container engine")


def pytest_configure(config: pytest.Config) -> None:
    """A shell starts what runs in its background with SIGINT ignored, and every child inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_LEFT_OUT] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for option, marks in _left_out_marks(config).items():
        without = [item for item in items if any(item.get_closest_marker(mark) for mark in marks)]
        config.stash[_LEFT_OUT][option] = len(without)
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


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
