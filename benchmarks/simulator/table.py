"""The page's tables, rendered from the result."""

import json
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).parent.parent / "results/simulator.json"
PAGE: Final = Path(__file__).parent / "README.md"
MARK: Final = "<!-- below: written by benchmarks/simulator/table.py from benchmarks/results/simulator.json -->\n"
LARGEST_ADDED_MS: Final = 0.6
FEWEST_CALLS: Final = 5000
SMALLEST_SHARE: Final = 95.0
LARGEST_GROWTH_MB: Final = 50.0
LARGEST_START_S: Final = 0.5

Rows = dict[str, Any]  # Any: numbers, or rows of them, as JSON has them


def publish() -> None:
    """Put the tables into the page."""
    result = json.loads(RESULTS.read_text())
    machine, measured = result["machine"], result["measured"]
    lines = [
        f"Measured {result['date'][:10]} on {machine['processors']} processors of {machine['processor']}, "
        f"{machine['system']}, Python {result['versions']['python']}; others worked on the machine, its load average "
        f"was {machine['load_before']:.1f} before. Commits: {_commits(measured['commits'])}.",
        *("", "## Goals", "", "| | goal | measured | |", "|---|---|---|---|", *_goals(measured)),
        *("", "## Beside local mode", "", *_local_mode(measured["local_mode"])),
        *("", "## Calls", "", *_calls(measured["calls"])),
        *("", "## Transform jobs", "", *_transform(measured["transform"])),
        *("", "## Starts", "", *_starts(measured["start"])),
    ]
    PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + "\n" + "\n".join(lines) + "\n")
    print("\n".join(lines))


def _commits(commits: Rows) -> str:
    return ", ".join(f"{name} at {commit}" for name, commit in commits.items())


def _goals(measured: Rows) -> list[str]:
    calls, jobs, starts = measured["calls"], measured["transform"], measured["start"]
    one, many = calls["one connection"]["added_p50_ms"], calls["64 connections"]["through_per_s"]
    rows = [
        _goal(
            "added to a call, p50, one connection", f"≤ {LARGEST_ADDED_MS} ms", f"{one:.3f} ms", one <= LARGEST_ADDED_MS
        ),
        _goal("calls/s on one processor", f"≥ {FEWEST_CALLS:,}", f"{many:,.0f}", many >= FEWEST_CALLS),
    ]
    for row in jobs["shares"]:
        share = row["share_percent"]
        measured_share = f"{share:.0f} % ({row['share_lowest']:.0f} to {row['share_highest']:.0f})"
        rows.append(_goal(f"job's share of the load generator's throughput: {row['case']}", f"≥ {SMALLEST_SHARE:.0f} %",
                          measured_share, share >= SMALLEST_SHARE))  # fmt: skip
    for row in jobs["large"]:
        grown = row["grown_mb"]
        rows.append(_goal(f"memory for {row['gb']:.0f} GB: {row['case']}", f"flat: ≤ {LARGEST_GROWTH_MB:.0f} MB",
                          f"{grown:.0f} MB", grown <= LARGEST_GROWTH_MB))  # fmt: skip
    for kind, row in starts.items():
        for name, words in _WAYS.items():
            added = row[f"{name}_added_s"]
            rows.append(_goal(f"start to first 200, {kind}: {words}", f"container's own + ≤ {LARGEST_START_S} s",
                              f"{added:+.2f} s", added <= LARGEST_START_S))  # fmt: skip
    return rows


_WAYS: Final = {"endpoint": "`simulate endpoint`", "up": "`CreateEndpoint`"}


def _goal(name: str, goal: str, measured: str, is_met: bool) -> str:
    return f"| {name} | {goal} | {measured} | {'pass' if is_met else '**fail**'} |"


def _local_mode(rows: Rows) -> list[str]:
    alone, peer, ours, thing = rows["alone"], rows["local_mode"], rows["argosy"], rows["object"]
    megabytes, lines = thing["bytes"] / 1e6, thing["lines"]

    return [
        "| | container alone | local mode | Argosy |",
        "|---|---|---|---|",
        f"| deployment to first 200 | {alone['start_s']:.2f} s | {peer['start_s']:.2f} s | {ours['start_s']:.2f} s |",
        f"| call by its client, p50 | - | {peer['client_p50_ms']:.2f} ms | {ours['client_p50_ms']:.2f} ms |",
        f"| call by urllib3 alone, p50 | {alone['plain_p50_ms']:.2f} ms | - | {ours['plain_p50_ms']:.2f} ms |",
        f"| transform job of {megabytes:.1f} MB, {lines:,} rows, container's start included | - "
        f"| {peer['job_s']:.2f} s | {ours['job_s']:.2f} s |",
    ]


def _calls(rows: Rows) -> list[str]:
    return [
        "| load | container alone | through the simulator | added p50 | CPU a call |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {row['direct_per_s']:,.0f}/s, p50 {row['direct_p50_ms']:.3f} ms "
            f"| {row['through_per_s']:,.0f}/s, p50 {row['through_p50_ms']:.3f} ms, p99 {row['through_p99_ms']:.3f} ms "
            f"| {row['added_p50_ms']:.3f} ms | {row['cpu_us_per_call']:.0f} us |"
            for name, row in rows.items()
        ),
    ]


def _transform(rows: Rows) -> list[str]:
    return [
        "| a request | at a time | load generator | job | share | job's CPU a request |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['case']} | {row['concurrency']} | {row['direct_per_s']:,.0f}/s | {row['job_per_s']:,.0f}/s "
            f"| {row['share_percent']:.1f} % | {row['job_cpu_us'] / 1000:.2f} ms |"
            for row in rows["shares"]
        ),
        *("", "| one object | throughput | memory grew by |", "|---|---|---|"),
        *(
            f"| {row['gb']:.1f} GB, {row['case']} | {row['mb_per_s']:,.0f} MB/s | {row['grown_mb']:.0f} MB |"
            for row in rows["large"]
        ),
    ]


def _starts(rows: Rows) -> list[str]:
    return [
        "| container | its own | `simulate endpoint`, the program's own start included | `CreateEndpoint` |",
        "|---|---|---|---|",
        *(
            f"| {kind} | {row['own_s']:.2f} s | {row['endpoint_s']:.2f} s | {row['up_s']:.2f} s |"
            for kind, row in rows.items()
        ),
    ]
