"""What a build costs, beside `docker build` and others: the table "Speed and size" as `rows.py` has it.

Everybody builds the same project on the same base image, downloads from the same package index and pushes to the same
registry on loopback. A round is a story: cold, then the predictor changes, then nothing does; in each round everybody
has a turn, in the other order than in the round before. Figures are medians, comparisons are ratios of these medians.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.image import contestants, projects, rows, single, table
from benchmarks.image.commands import FailedError, say
from benchmarks.image.contestants import Contestant, Place
from benchmarks.image.rows import Row

ROUNDS = 3
REPEATS = 3
RESULT = dict[str, Any]


def measure(arguments: list[str], last: RESULT) -> RESULT | None:
    """The rows that the arguments name, or all short ones.

    Args:
        arguments: As `--help` tells.
        last: What is in the result file now.

    Returns:
        What the result file shall have from now on; None: a look at a part, it stays as it is.
    """
    told = _parse(arguments)
    chosen = rows.find(told.rows)
    started = time.monotonic()
    found: RESULT = {}
    with tempfile.TemporaryDirectory(prefix="argosy-benchmark-", ignore_cleanup_errors=True) as scratch:
        registry = os.environ["ARGOSY_TEST_REGISTRY"]
        place = Place(registry, contestants.pushed_base(registry), Path(scratch), f"{time.time_ns():x}")
        for name in dict.fromkeys(row.project for row in chosen if row.work in rows.STEPS):
            story = _story(name, place, told)
            found |= {row.id: story[row.work] for row in chosen if row.project == name and row.work in story}
        for row in chosen:
            if row.work in single.WORK:
                found[row.id] = _single(row, place, told.rounds)
        contestants.forget(place)
    say(f"\n{table.render({'rows': found})}\nmeasured in {time.monotonic() - started:.0f} s")
    if (told.rows or told.against) and not told.keep:
        return None
    kept = last.get("rows", {}) if told.rows or told.against else _long(last)
    return {"rows": kept | found, "versions": dict(contestants.versions())}


def publish() -> None:
    """Put the table into the page."""
    table.write_page()


def _long(last: RESULT) -> RESULT:
    """What a whole run does not measure again."""
    return {name: row for name, row in last.get("rows", {}).items() if name in rows.LONG}


def _story(project: str, place: Place, told: argparse.Namespace) -> RESULT:
    """Everybody's rounds with one project, by step."""
    faults: dict[str, str] = {}
    ready: dict[str, Contestant] = {}
    taken: dict[str, dict[str, list[float]]] = {step: {} for step in rows.STEPS}
    for name in told.against or contestants.TITLES:
        try:
            ready[name] = contestants.made(name, project, place)
        except FailedError as error:
            faults[name] = str(error)
    for number in range(told.rounds):
        for name in list(ready) if number % 2 == 0 else list(ready)[::-1]:
            target = place.target(f"{project}-{name}-{number}")
            try:
                for step, took in _round(ready[name], target):
                    taken[step].setdefault(name, []).append(round(took, 3))
            except FailedError as error:
                faults[name] = str(error)
                del ready[name]
                continue
            times = "  ".join(f"{step} {taken[step][name][-1]:.2f} s" for step in rows.STEPS)
            say(f"{project:8} round {number + 1}  {name:15} {times}")
    for name, fault in faults.items():
        say(f"{project:8} {name}: {fault}")
    return {
        step: {
            "figures": {name: {rows.SECONDS: round(statistics.median(times), 3)} for name, times in by_name.items()},
            "rounds": by_name,
            "faults": faults,
            **_stamp(),
        }
        for step, by_name in taken.items()
    }


def _round(one: Contestant, target: str) -> list[tuple[str, float]]:
    found = [(rows.COLD, one.build(target, cold=True))]
    for step, _ in itertools.product((rows.PREDICTOR, rows.UNCHANGED), range(REPEATS)):
        if step == rows.PREDICTOR:
            projects.change_predictor(one.source)
        found.append((step, one.build(target, cold=False)))
    return found


def _single(row: Row, place: Place, rounds: int) -> RESULT:
    try:
        figures = single.WORK[row.work](row, place, rounds)
    except FailedError as error:
        say(f"{row.id}: {error}")
        return {"figures": {}, "faults": {rows.ARGOSY: str(error)}, **_stamp()}
    rounded = {name: {key: round(value, 3) for key, value in taken.items()} for name, taken in figures.items()}
    say(f"{row.id}: {rounded}")
    return {"figures": rounded, "faults": {}, **_stamp()}


def _stamp() -> RESULT:
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), "load": round(os.getloadavg()[0], 2)}


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench image", description=__doc__.partition("\n")[0])
    every = ", ".join(row.id for row in rows.ROWS)
    parser.add_argument("--rows", nargs="+", default=[], metavar="ROW", help=f"only these: {every}")
    parser.add_argument("--against", nargs="+", default=[], metavar="NAME", help="only these contestants")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"{ROUNDS} by default")
    parser.add_argument(
        "--keep", action="store_true", help="write a part of the rows into the result, in place of their last figures"
    )
    told = parser.parse_args(arguments)
    if unknown := set(told.rows) - {row.id for row in rows.ROWS}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {every}")
    if unknown := set(told.against) - set(contestants.TITLES):
        parser.error(f"no such contestant: {', '.join(sorted(unknown))}; there are {', '.join(contestants.TITLES)}")
    if "ARGOSY_TEST_REGISTRY" not in os.environ:
        parser.error('there is no registry and no engine: eval "$(scripts/engine up)"')
    return told
