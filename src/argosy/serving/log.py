"""One JSON line on stderr for each event worth telling; never a body, never a secret."""

import sys
import time
import traceback

import orjson


def event(name: str, **fields: object) -> None:
    """Write one line: time, event, fields."""
    line = orjson.dumps(
        {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": name, **fields}, default=str
    )
    sys.stderr.buffer.write(line + b"\n")
    sys.stderr.buffer.flush()


def failure(name: str, error: BaseException, **fields: object) -> None:
    """Write one line with the whole traceback of an error: it goes to the log and never into an answer."""
    event(
        name, error=f"{type(error).__name__}: {error}", traceback="".join(traceback.format_exception(error)), **fields
    )
