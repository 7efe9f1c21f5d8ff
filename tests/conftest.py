"""What all tests share: the engine's tests are run or loudly left out, never skipped."""

import os
import signal

import pytest

_LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--without-engine", action="store_true", help="leave out the tests that need a container engine")


def pytest_configure() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and every child inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--without-engine"):
        without = [item for item in items if item.get_closest_marker("engine")]
        config.stash[_LEFT_OUT] = len(without)
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if not item.get_closest_marker("engine")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    count = config.stash.get(_LEFT_OUT, 0)
    if count:
        terminalreporter.section("NOT RUN", yellow=True, bold=True)
        terminalreporter.line(
            f"{count} tests need a container engine and a registry (mark `engine`): run scripts/test as root"
        )


@pytest.fixture(scope="session")
def registry() -> str:
    """`host:port` of a registry on loopback, plain HTTP, empty or not."""
    address = os.environ.get("ARGOSY_TEST_REGISTRY")
    if not address:
        pytest.fail('no registry: eval "$(scripts/engine up)", or run scripts/test', pytrace=False)
    return address
