"""Data on stdout, talk on stderr, progress on a terminal and plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import rich.console

talk = rich.console.Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""Where sentences for people go."""


def say(text: str) -> None:
    """One line for people, on stderr."""
    talk.print(text)


def print_data(text: str) -> None:
    """Text that another program may read, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def print_json(value: object) -> None:
    """A value as indented JSON, on stdout."""
    print_data(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what runs, with a spinner on a terminal, and how long it took."""
    started = time.perf_counter()
    if talk.is_terminal:
        with talk.status(name):
            yield
    else:
        yield
    say(f"{name} ({time.perf_counter() - started:.1f} s)")
