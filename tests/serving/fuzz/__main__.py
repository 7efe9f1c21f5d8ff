"""`scripts/fuzz`: the whole of the fuzz, against both ways through the front."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.serving.fuzz.campaign import PREDICTORS, Report, campaign


def main() -> int:
    """1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="how many, shared among the servers")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other inputs")
    told = parser.parse_args()
    reports = []
    ways = [(predictor, short_path) for predictor in PREDICTORS for short_path in ("1", "0")]
    for number, (predictor, short_path) in enumerate(ways):
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            seed = told.seed * 1000 + number
            report = campaign(predictor, short_path, told.inputs // len(ways), seed, Path(folder) / "log")
            reports.append(report)
            took = time.monotonic() - started
            print(f"{predictor} short_path={short_path} seed={seed}: {report.summary} in {took:.0f} s", flush=True)
            _tell(report)
    return int(any(not report.is_clean for report in reports))


def _tell(report: Report) -> None:
    for fault in report.faults:
        print(f"  {fault.wrong}\n    {fault.sent!r}")
    for line in report.log_lines:
        print(f"  log: {line}")


if __name__ == "__main__":
    sys.exit(main())
