"""Runs the code cells of a notebook top to bottom, as Jupyter does: `run_notebook.py NOTEBOOK CALLS`.

One namespace for all; the first cell that fails ends it. The calls that boto3 makes are written to CALLS, one a line.
"""

import json
import logging
import re
import sys
from pathlib import Path


class Calls(logging.Handler):
    """Writes down what botocore is about to send."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        found = re.match(r"Making request for OperationModel\(name=(\w+)\)", record.getMessage())
        url = re.search(r"'url': '([^']*)'", record.getMessage())
        if found:
            with self.path.open("a") as calls:
                calls.write(json.dumps([found.group(1), url.group(1) if url else ""]) + "\n")


def main() -> None:
    notebook, calls = map(Path, sys.argv[1:])
    logger = logging.getLogger("botocore.endpoint")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(Calls(calls))
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, cell in enumerate(json.loads(notebook.read_text())["cells"], start=1):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), namespace)


if __name__ == "__main__":
    main()
