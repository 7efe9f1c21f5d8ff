"""The result as a table: each goal, what was measured, and whether it holds."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.serving import rows
from benchmarks.serving.rows import Goal, Row

RESULTS: Final = Path(__file__).parent.parent / "results/serving.json"
PAGE: Final = Path(__file__).parent / "README.md"
MARK: Final = "<!-- below: written by benchmarks/serving/table.py from benchmarks/results/serving.json -->\n"
RESULT = dict[str, Any]
_NAMES: Final = {
    rows.RATE: "requests/s",
    rows.MEDIAN: "p50",
    rows.TAIL: "p99",
    rows.PACE: "streams/s",
    "worst_ms": "worst",
    "beyond_s": "beyond the model's own",
    "pss_mb": "PSS",
    "median_ms": "median",
}
_UNITS: Final = {"p99_ms": "ms", "worst_ms": "ms", "median_ms": "ms", "beyond_s": "s", "pss_mb": "MB"}


def render(result: RESULT) -> str:
    """A Markdown table of the rows in a result, a line for each goal and for each rival without one."""
    lines = ["| work | goal | measured | ours | theirs | |", "|---|---|---|---|---|---|"]
    for row in rows.ROWS:
        measured = result["rows"].get(row.id)
        if measured is None:
            continue
        for goal in row.goals:
            lines += _goal_line(row, goal, measured)
        judged = {name for goal in row.goals for name in goal.against}
        for rival, pair in measured["versus"].items():
            if rival not in judged and "fault" not in pair:
                ratio = _ratio(pair, rows.RATE)
                lines.append(f"| {row.title} | - | {ratio:.2f}x {rival} | {_both(pair, rows.RATE)} | |")
    return "\n".join(lines)


def verdict(goal: Goal, figure: float) -> bool:
    """Whether a figure meets its goal."""
    return (goal.at_least is None or figure >= goal.at_least) and (goal.at_most is None or figure <= goal.at_most)


def sentence(rival: str, medians: dict[str, dict[str, float]]) -> str:
    """One pair in a line, for the terminal."""
    ours, theirs = medians.values()
    parts = [f"{ours['requests_per_s'] / max(theirs['requests_per_s'], 1e-9):8.2f}x {rival:18}"]
    for side in (ours, theirs):
        latency = f" p50 {side['p50_ms']:.3f} p99 {side['p99_ms']:.3f} ms" if "p50_ms" in side else ""
        cpu = f" cpu {side['cpu_us_per_request']:.1f} us" if "cpu_us_per_request" in side else ""
        failed = sum(side.get(key, 0) for key in ("not_200", "broken", "timeouts"))
        parts.append(f"{side['requests_per_s']:10,.0f}/s{latency}{cpu}" + (f" FAILED {failed:.0f}" if failed else ""))
    return " | ".join(parts)


def write_page() -> None:
    """Put the table of the last full result into the page."""
    result = json.loads(RESULTS.read_text())
    measured = result["measured"]
    machine, contestants = result["machine"], measured["contestants"]
    text = [
        f"Measured {result['date'][:10]} at commit `{result['commit'][:12]}` on {machine['processors']} processors of "
        f"{machine['processor']}, {machine['memory_mb'] // 1024} GB, {machine['system']}, "
        f"Python {result['versions']['python']}.",
        render(measured),
        "| server | version | settings |\n|---|---|---|\n" + "\n".join(map(_server_line, contestants.items())),
    ]
    page = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text(page + MARK + "\n" + "\n\n".join(text) + "\n")


def _goal_line(row: Row, goal: Goal, measured: RESULT) -> list[str]:
    """The line of a goal; none when nothing of it was measured."""
    name, unit = _NAMES[goal.measure], _UNITS.get(goal.measure, "")
    bound = f"≥ {goal.at_least:g}" if goal.at_least is not None else f"≤ {goal.at_most:g}"
    if not goal.against:
        if "values" not in measured:
            return [f"| {row.title} | {name} {bound} {unit} | {measured.get('fault', 'not measured')} | | | fail |"]
        figure = measured["values"][goal.measure]
        mark = "pass" if verdict(goal, figure) else "**fail**"
        return [f"| {row.title} | {name} {bound} {unit} | {figure:g} {unit} | | | {mark} |"]
    pairs = {rival: measured["versus"][rival] for rival in goal.against if rival in measured["versus"]}
    usable = {rival: _ratio(pair, goal.measure) for rival, pair in pairs.items() if "fault" not in pair}
    against = goal.against[0] if len(goal.against) == 1 else "the best peer"
    wanted = f"{name} {bound}x {against}"
    if not usable:
        return [f"| {row.title} | {wanted} | {pair['fault'][:80]!r} | | | not measured |" for pair in pairs.values()]
    best = min(usable, key=lambda rival: usable[rival] if goal.at_least is not None else -usable[rival])
    figure = usable[best]
    mark = "pass" if verdict(goal, figure) else "**fail**"
    named = f" ({best})" if len(goal.against) > 1 else ""
    return [f"| {row.title} | {wanted} | {figure:.2f}{named} | {_both(pairs[best], goal.measure)} | {mark} |"]


def _ratio(pair: RESULT, measure: str) -> float:
    ours, theirs = pair["ours"][measure], pair["theirs"][measure]
    return float(ours / theirs) if theirs else float("inf")


def _both(pair: RESULT, measure: str) -> str:
    shape = "{:,.3f} ms" if measure.endswith("_ms") else "{:,.0f}/s"
    return " | ".join(shape.format(pair[side][measure]) for side in ("ours", "theirs"))


def _server_line(item: tuple[str, RESULT]) -> str:
    name, told = item
    packages = {"byoc": ("flask", "gunicorn", "gevent"), "mms": ("sagemaker-inference", "multi-model-server")}
    wanted = packages.get(name, (name.partition("_")[0],))
    versions = ", ".join(f"{package} {told['versions'].get(package, '')}".strip() for package in wanted)
    return f"| {told['title']} (`{name}`) | {versions} | {told['settings']} |"


if __name__ == "__main__":
    write_page()
    sys.stderr.write(f"{PAGE} written\n")
