"""The result as a page: each flavor's own call, the served one, and whether the difference meets the goal."""

import json
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).parent.parent / "results/flavors.json"
PAGE: Final = Path(__file__).parent / "README.md"
MARK: Final = "<!-- below: written by benchmarks/flavors/table.py from benchmarks/results/flavors.json -->\n"
GOAL_MS: Final = 0.3
_HEAD: Final = (
    "| flavor | framework alone, p50 | served, p50 | overhead | goal ≤ 0.3 ms | echo, p50 | body |\n"
    "|---|---|---|---|---|---|---|"
)


def line(name: str, row: dict[str, Any]) -> str:
    """The line of a flavor."""
    verdict = "pass" if row["overhead_ms"] <= GOAL_MS else "**fail**"
    own, served, overhead, echo = (f"{row[key]:.3f} ms" for key in ("own_ms", "served_ms", "overhead_ms", "echo_ms"))
    return f"| `{name}` | {own} | {served} | {overhead} | {verdict} | {echo} | {row['body_bytes']:,} B |"


def write_page() -> None:
    """Put the table of the last result into the page."""
    result = json.loads(RESULTS.read_text())
    machine = result["machine"]
    told = (
        f"Measured {result['date'][:10]} at commit `{result['commit'][:12]}` on {machine['processors']} processors of "
        f"{machine['processor']}, {machine['memory_mb'] // 1024} GB, {machine['system']}, "
        f"Python {result['versions']['python']}, load {machine['load_before']:.1f} before it."
    )
    lines = [line(name, row) for name, row in result["measured"]["rows"].items()]
    page = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text("\n".join([f"{page}{MARK}", told, "", _HEAD, *lines]) + "\n")
