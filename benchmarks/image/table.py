"""The result as a table: each goal, what was measured, and whether it holds."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.image import contestants, rows
from benchmarks.image.rows import Goal, Row

RESULTS: Final = Path(__file__).parent.parent / "results/image.json"
PAGE: Final = Path(__file__).parent / "README.md"
MARK: Final = "<!-- below: written by benchmarks/image/table.py from benchmarks/results/image.json -->\n"
RESULT = dict[str, Any]
_NAMES: Final = {
    rows.SECONDS: ("time", "s"),
    rows.STORED: ("in the registry", "MB"),
    rows.UNPACKED: ("unpacked", "MB"),
    rows.SENT: ("sent", "KB"),
    rows.PEAK: ("peak", "MB"),
}


def render(result: RESULT) -> str:
    """A Markdown table: a line for each goal, with all that was measured in the row."""
    lines = ["| work | goal | ours | | others |", "|---|---|---|---|---|"]
    for row in rows.ROWS:
        measured = result["rows"].get(row.id)
        if measured is not None:
            lines += [_goal_line(row, goal, measured, result) for goal in row.goals] or [_plain_line(row, measured)]
    return "\n".join(lines)


def write_page() -> None:
    """Put the table of the last result into the page."""
    result = json.loads(RESULTS.read_text())
    measured, machine = result["measured"], result["machine"]
    listed = [
        f"| {title} (`{name}`) | {measured['versions'].get(name, '')} | {told} |"
        for name, (title, told) in contestants.TITLES.items()
    ]
    text = [
        f"Measured {result['date'][:10]} at commit `{result['commit'][:12]}` on {machine['processors']} processors of "
        f"{machine['processor']}, {machine['memory_mb'] // 1024} GB, {machine['system']}, "
        f"Python {result['versions']['python']}, load before {machine['load_before']:.1f}.",
        render(measured),
        "\n".join(["| contestant | version | settings |", "|---|---|---|", *listed]),
    ]
    page = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text(page + MARK + "\n" + "\n\n".join(text) + "\n")


def _goal_line(row: Row, goal: Goal, measured: RESULT, result: RESULT) -> str:
    """The line of a goal."""
    name, unit = _NAMES[goal.measure]
    figures = measured["figures"]
    compared = result["rows"].get(goal.of or row.id, {}).get("figures", {})
    rivals = [figure for rival in goal.against if (figure := compared.get(rival, {}).get(goal.measure)) is not None]
    bound = f"{name} ≤ {goal.at_most:g} {unit}"
    if goal.against:
        what = "cold build" if goal.of else goal.against[0]
        bound = f"{name} ≤ {_fraction(goal.at_most)} of {what}'s"
    if rows.ARGOSY not in figures or (goal.against and not rivals):
        return f"| {row.title} | {bound} | not measured | | {_others(measured, goal.measure)} |"
    ours = figures[rows.ARGOSY][goal.measure]
    judged = ours / min(rivals) if goal.against else ours
    shown = f"{ours:,.2f} {unit}{_fastest(measured)}" + (f", {judged:.3f} of it" if goal.against else "")
    verdict = "pass" if judged <= goal.at_most else "**fail**"
    return f"| {row.title} | {bound} | {shown} | {verdict} | {_others(measured, goal.measure)} |"


def _plain_line(row: Row, measured: RESULT) -> str:
    figures = dict(measured["figures"])
    ours = figures.get(rows.ARGOSY, {}).get(rows.SECONDS)
    shown = f"{ours:,.2f} s{_fastest(measured)}" if ours is not None else ""
    return f"| {row.title} | - | {shown} | | {_others(measured, rows.SECONDS)} |"


def _others(measured: RESULT, measure: str) -> str:
    unit = _NAMES[measure][1]
    named = [
        f"{name} {taken[measure]:,.2f} {unit}"
        for name, taken in measured["figures"].items()
        if name != rows.ARGOSY and measure in taken
    ]
    return ", ".join([*named, *(f"{name}: failed" for name in measured.get("faults", {}))])


def _fastest(measured: RESULT) -> str:
    """How fast ours was when others used the machine least; empty where there are no rounds."""
    times = measured.get("rounds", {}).get(rows.ARGOSY)
    return f" (fastest {min(times):,.2f})" if times else ""


def _fraction(bound: float) -> str:
    return f"1/{1 / bound:.0f}" if (1 / bound).is_integer() or bound < 0.5 else f"{bound:g}"


if __name__ == "__main__":
    write_page()
    sys.stderr.write(f"{PAGE} written\n")
