"""One JSON line on stderr for each event worth telling; of a body at most what a predictor's own error quotes."""

import json
import sys
import time
import traceback

import orjson


def event(name: str, **fields: object) -> None:
    """Write one line: time, event, fields."""
    told = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": name, **fields}
    try:
        line = orjson.dumps(told, default=str)
    except TypeError:  # text that is not Unicode, as file names may be
        line = json.dumps(told, default=str).encode()
    sys.stderr.buffer.write(line + b"\n")
    sys.stderr.buffer.flush()


def failure(name: str, error: BaseException, **fields: object) -> None:
    """Write one line with the whole traceback of an error: it goes to the log and never into an answer."""
    event(
        name, error=f"{type(error).__name__}: {error}", traceback="".join(traceback.format_exception(error)), **fields
    )
