"""Data on stdout, talk on stderr, progress on a terminal and plain lines elsewhere."""

import functools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from argosy.conformance.reporting.text import Line, Tone

if TYPE_CHECKING:
    import rich.console

_STYLES: Final = {
    Tone.STRONG: "bold",
    Tone.FAINT: "dim",
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.DOUBTFUL: "yellow",
}


def is_terminal() -> bool:
    """Whether people see what is said as it is said, so that it may move."""
    return sys.stderr.isatty()


@functools.cache
def terminal() -> "rich.console.Console":
    """Where sentences for people go, when it is a terminal; elsewhere nobody waits for rich to be loaded."""
    return _console(is_stderr=True)


def _console(*, is_stderr: bool) -> "rich.console.Console":
    """A terminal that shows a text as it is."""
    import rich.console

    return rich.console.Console(stderr=is_stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)


def say(text: str) -> None:
    """One line for people, on stderr; work goes on when nobody reads it (`2>&1 | head`) or its disk is full."""
    try:
        if is_terminal():
            terminal().print(text)  # above what moves
        else:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
    except BrokenPipeError:
        # What Python still holds would fail again at the end, and become the exit code 120.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
    except OSError:
        pass


def print_data(text: str) -> None:
    """Text that another program may read, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def print_lines(lines: Iterable[Line]) -> None:
    """Lines of a report on stdout, in colours where it is a terminal that has them and nobody said `NO_COLOR`."""
    if not sys.stdout.isatty():
        print_data("".join(f"{line.text}\n" for line in lines))
        return
    import rich.text

    console = _console(is_stderr=False)
    for line in lines:
        text = rich.text.Text(line.text)
        for begin, end, tone in line.tones:
            text.stylize(_STYLES[tone], begin, end)
        console.print(text)


def print_json(value: object) -> None:
    """A value as indented JSON, on stdout."""
    print_data(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what runs, with a spinner on a terminal, and how long it took."""
    started = time.perf_counter()
    if is_terminal():
        with terminal().status(name):
            yield
    else:
        yield
    say(f"{name} ({time.perf_counter() - started:.1f} s)")
