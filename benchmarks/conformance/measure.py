"""`argosy check` on five clean images: the time of one check, then many on a machine that has no time for them."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.conformance import false_alarms, table
from tests.foreign.stock import NAMES, Stock

RUNS = 20
RESULT = dict[str, Any]


def measure(arguments: list[str], last: RESULT) -> RESULT | None:
    """Check each image once on the machine as it is, then again and again beside the load.

    Args:
        arguments: As `--help` tells.
        last: What is in the result file now.

    Returns:
        What the result file shall have from now on; None: a look at some images, it stays as it is.
    """
    told = _parse(arguments)
    names = told.servers or NAMES
    found: RESULT = {}
    with tempfile.TemporaryDirectory(prefix="argosy-benchmark-") as folder, Stock(Path(folder)) as stock:
        servers = {name: stock.get(name) for name in names}
        for name, server in servers.items():
            found[name] = {"alone": false_alarms.checked([server], say=_say)[name]}
        with false_alarms.busy_processors(told.busy):
            loaded = false_alarms.checked(list(servers.values()) * told.runs, say=_say)
        for name in names:
            found[name]["loaded"] = loaded[name]
    result = {"busy_processes": told.busy, "servers": found}
    if told.servers and not told.keep:
        _say(table.render(result))
        return None
    return result if not told.servers else {**result, "servers": last.get("servers", {}) | found}


def publish() -> None:
    """Put the table into the page."""
    table.write_page()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench conformance", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="checks of each image under load [%(default)s]")
    parser.add_argument("--busy", type=int, default=2, help="processes that do nothing but work [%(default)s]")
    parser.add_argument("--servers", nargs="+", choices=NAMES, help="a look at these alone")
    parser.add_argument("--keep", action="store_true", help="with --servers: write the result all the same")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
