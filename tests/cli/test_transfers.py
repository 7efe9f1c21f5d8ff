import io
import threading
from pathlib import Path

import pytest
import rich.console

from argosy.cli import output
from argosy.cli.environment import Environment
from argosy.cli.transfers import open_access
from argosy.registry.progress import Progress


def progress(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> tuple[Progress, io.StringIO]:
    """Who tells the user, and what was told."""
    told = io.StringIO()
    monkeypatch.setattr(output, "talk", rich.console.Console(file=told, force_terminal=terminal, width=100))
    return open_access(Environment(Path("/cache"), Path("/state"), Path("/docker"), {})).progress, told


def test_without_a_terminal_every_blob_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    bars, told = progress(monkeypatch, terminal=False)
    bars.begin("first", 1_000_000).end("is there")
    second = bars.begin("second", 2_500_000)
    second.advance(2_500_000)
    second.end("sent")
    first, last = told.getvalue().splitlines()
    assert first.split() == ["first", "1.0", "MB", "is", "there"]
    assert last.split()[:5] == ["second", "2.5", "MB", "sent", "in"]


def test_a_large_blob_has_a_line_for_every_quarter(monkeypatch: pytest.MonkeyPatch) -> None:
    bars, told = progress(monkeypatch, terminal=False)
    transfer = bars.begin("large", 400_000_000)
    for _ in range(400):
        transfer.advance(1_000_000)
    transfer.end("received")
    lines = told.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["400.0", "25", "50", "75", "400.0"]


def test_on_a_terminal_bars_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    bars, told = progress(monkeypatch, terminal=True)
    both = threading.Barrier(2)

    def carry(name: str) -> None:
        transfer = bars.begin(name, 1000)
        both.wait(10)
        transfer.advance(1000)
        transfer.end("sent")

    threads = [threading.Thread(target=carry, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert "one" in told.getvalue()
    assert "two" in told.getvalue()
    assert told.getvalue().count("sent in") == 2
    assert told.getvalue().rstrip("\n").rpartition("\x1b[?25")[2].startswith("h")  # the cursor is back
