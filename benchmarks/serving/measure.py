"""Our server beside its peers: the table "Speed and size" as `rows.py` has it.

Everybody is held to one processor, the load to another, one model process each, metrics on. A rival is measured in
turns with ours: A B, B A, A B ..., each round of a second or more after a warm-up; figures are medians of the rounds,
comparisons are ratios of these medians.
"""

import argparse
import statistics
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from benchmarks.serving import contestants, environments, launches, rows, single, table
from benchmarks.serving.contestants import OURS, Contestant
from benchmarks.serving.environments import MissingError, say
from benchmarks.serving.processes import NotStartedError
from benchmarks.serving.rows import Row

ROUNDS = 5
RESULT = dict[str, Any]


def measure(arguments: list[str], last: RESULT) -> RESULT | None:
    """The rows that the arguments name, or all; with `--keep` in place of those of the last result.

    Args:
        arguments: As `--help` tells.
        last: What is in the result file now.

    Returns:
        What the result file shall have from now on; None: a look at a part, it stays as it is.
    """
    told = _parse(arguments)
    chosen = rows.find(told.rows)
    started = time.monotonic()
    if not told.installed:
        environments.install_ours(told.commit)
    found: RESULT = {row.id: {"title": row.title, "versus": {}} for row in chosen}
    for row in chosen:
        if row.id in single.ROWS:
            found[row.id] |= _single(row, told.rounds)
    for work in dict.fromkeys(row.work for row in chosen if row.work):
        same = [row for row in chosen if row.work == work]
        for rival in dict.fromkeys(name for row in same for name in row.rivals()):
            if not told.against or rival in told.against:
                _compare(work, rival, [row for row in same if rival in row.rivals()], told, found)
    say(f"\n{table.render({'rows': found})}\nmeasured in {time.monotonic() - started:.0f} s")
    is_part = bool(told.rows or told.against)
    if is_part and not told.keep:
        return None
    merged = _merged(last.get("rows", {}), found) if is_part else found
    return {"rows": merged, "contestants": _contestants(merged)}


def publish() -> None:
    """Put the table into the page."""
    table.write_page()


def _merged(last: RESULT, found: RESULT) -> RESULT:
    """The last result with what was measured now in its place, pair by pair."""
    merged = dict(last)
    for name, row in found.items():
        merged[name] = row | {"versus": last.get(name, {}).get("versus", {}) | row["versus"]}
    return merged


def _compare(work: str, rival: str, same: list[Row], told: argparse.Namespace, found: RESULT) -> None:
    """All rows with the same work against one rival, both servers up at once and loaded in turn."""
    with ExitStack() as stack:
        try:
            ours = stack.enter_context(contestants.opened(OURS, work))
            theirs = stack.enter_context(contestants.opened(rival, work))
        except (NotStartedError, MissingError) as error:
            say(f"{rival} does not serve {work}: {error}")
            for row in same:
                found[row.id]["versus"][rival] = {"fault": str(error).strip()[-300:]}
            return
        for row in same:
            found[row.id]["versus"][rival] = _rounds(row, ours, theirs, rival, told)


def _rounds(row: Row, ours: Contestant, theirs: Contestant, rival: str, told: argparse.Namespace) -> RESULT:
    sides = {OURS: ours, rival: theirs}
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    try:
        for side in sides.values():
            if isinstance(side, contestants.Served):
                side.check(row)
            side.measure(row)  # warm: what a server learns under load, it has learned
        for number in range(told.rounds):
            for name in list(sides) if number % 2 == 0 else list(sides)[::-1]:
                taken[name].append(sides[name].measure(row))
    except contestants.WrongAnswerError as error:
        say(f"{row.id} {rival}: {error}")
        return {"fault": str(error)}
    medians = {
        name: {key: round(statistics.median(r[key] for r in results), 4) for key in results[0]}
        for name, results in taken.items()
    }
    spread = {name: [r["requests_per_s"] for r in results] for name, results in taken.items()}
    say(f"{row.id:14} {table.sentence(rival, medians)}")
    return {"ours": medians[OURS], "theirs": medians[rival], "rounds": spread, **_stamp()}


def _single(row: Row, rounds: int) -> RESULT:
    try:
        values = single.ROWS[row.id](rounds)
    except NotStartedError as error:
        say(f"{row.id}: {error}")
        return {"fault": str(error).strip()[-300:]}
    say(f"{row.id:14} {values}")
    return {"values": values, **_stamp()}


def _stamp() -> RESULT:
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), "argosy": environments.installed_commit()}


def _contestants(measured: RESULT) -> RESULT:
    """Title, settings and versions of everybody who was measured."""
    names = {name for row in measured.values() for name in row["versus"]}
    ours = "from this checkout with [fast]: pysimdjson; defaults, one model process, metrics on"
    known: RESULT = {OURS: {"title": "Argosy", "settings": ours, "versions": environments.versions(environments.OURS)}}
    for name, peer in launches.peers().items():
        if name in names:
            versions = environments.versions(peer.folder.name)
            known[name] = {"title": peer.title, "settings": peer.settings, "versions": versions}
    return known


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench serving", description=__doc__.partition("\n")[0])
    every = ", ".join(row.id for row in rows.ROWS)
    parser.add_argument("--rows", nargs="+", default=[], metavar="ROW", help=f"only these: {every}")
    parser.add_argument("--against", nargs="+", default=[], metavar="RIVAL", help="only these, of the rows' rivals")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each pair, {ROUNDS} by default")
    parser.add_argument("--commit", help="measure this commit and not the checkout as it is")
    parser.add_argument("--installed", action="store_true", help="measure what the last run installed")
    parser.add_argument(
        "--keep", action="store_true", help="write a part of the rows into the result, in place of their last figures"
    )
    told = parser.parse_args(arguments)
    unknown = set(told.rows) - {row.id for row in rows.ROWS}
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {every}")
    return told
