"""The result as a table: a line for each image."""

import json
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).parent.parent / "results/conformance.json"
PAGE: Final = Path(__file__).parent / "README.md"
MARK: Final = "<!-- below: written by benchmarks/conformance/table.py from benchmarks/results/conformance.json -->\n"
GOAL_S: Final = 20
RESULT = dict[str, Any]


def render(result: RESULT) -> str:
    """A Markdown table: what one check takes, and what many found beside the load."""
    lines = [
        f"| image | one check, goal ≤ {GOAL_S} s | runs under load | median, slowest | false alarms at MUST, goal 0 |"
        " MUST not decided | findings at SHOULD |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, measured in result["servers"].items():
        alone, loaded = measured["alone"], measured["loaded"]
        took = f"{alone['median_s']:.1f} s {'pass' if alone['median_s'] <= GOAL_S else '**fail**'}"
        alarms = sum(loaded["must"].values())
        cells = (
            name,
            took,
            loaded["runs"],
            f"{loaded['median_s']:.1f} s, {loaded['slowest_s']:.1f} s",
            "0 pass" if not alarms else f"**{alarms} fail**: {_counted(loaded['must'])}",
            _counted(loaded["undecided"]),
            _counted(loaded["should"]),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def write_page() -> None:
    """Put the table of the last result into the page."""
    result = json.loads(RESULTS.read_text())
    measured, machine = result["measured"], result["machine"]
    told = (
        f"Measured {result['date'][:10]} at commit `{result['commit'][:12]}` on {machine['processors']} processors of "
        f"{machine['processor']}, {machine['memory_mb'] // 1024} GB, load before {machine['load_before']:.1f}; "
        f"the load is {measured['busy_processes']} processes that do nothing but work."
    )
    page = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text(f"{page}{MARK}\n{told}\n\n{render(measured)}\n")


def _counted(clauses: dict[str, int]) -> str:
    return ", ".join(f"`{clause}` {count}" for clause, count in clauses.items()) or "-"
