"""What was asked of moto, on disk: moto keeps its state in memory, so the next local AWS asks for it all again.

Only calls that changed something are kept, in their order. The identifiers that moto invents (of access keys, say) are
others the next time, and what has a date has a new one; an upload in parts goes on, since its name is followed.
"""

import fcntl
import json
import os
import re
import shutil
import threading
from pathlib import Path
from typing import IO, Any, Final

from argosy.errors import UsageError
from argosy.local_aws import operations
from argosy.local_aws.signature import scope_of
from argosy.local_aws.wsgi import Environ, Wsgi, call

_UPLOAD_ID: Final = re.compile(rb"<UploadId>([^<]+)</UploadId>")
_FORM: Final = "application/x-www-form-urlencoded"
_PLACES: Final = ("QUERY_STRING", "RAW_URI", "REQUEST_URI")


class KeptCalls:
    """The calls of a state folder, which one local AWS at a time holds.

    Args:
        folder: Made where it is missing, for its owner alone.

    Raises:
        UsageError: Another local AWS holds it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._bodies = folder / "bodies"
        self._bodies.mkdir(exist_ok=True)
        self._lock = _lock(folder)
        self._file = (folder / "calls.jsonl").open("a+b")
        self._calls = _whole_lines(self._file)
        self._count = len(self._calls)
        self._keeping = threading.Lock()

    def close(self) -> None:
        """Let go of the folder."""
        self._file.close()
        os.close(self._lock)

    def keep(self, environ: Environ, body: IO[bytes], status: int, answer: bytes) -> None:
        """Note a call that was answered, if it changed something.

        Args:
            environ: The request's.
            body: The request's; read from its start.
            status: Of the answer.
            answer: The answer's first bytes.
        """
        operation = _operation(environ, body)
        if status >= 300 or not operations.changes(operation):
            return
        upload = _UPLOAD_ID.search(answer) if operation == "CreateMultipartUpload" else None
        with self._keeping:
            self._count += 1
            body.seek(0)
            with (self._bodies / str(self._count)).open("wb") as file:
                shutil.copyfileobj(body, file)
            kept = {
                "environ": {name: value for name, value in environ.items() if isinstance(value, str | dict)},
                "body": self._count,
                "upload": upload[1].decode() if upload else None,
            }
            self._file.write(json.dumps(kept).encode() + b"\n")
            self._file.flush()

    def repeat(self, application: Wsgi) -> None:
        """Ask for everything again."""
        uploads: dict[str, str] = {}
        for line in self._calls:
            kept: dict[str, Any] = json.loads(line)  # JSON of our own
            environ: Environ = dict(kept["environ"])
            for place in _PLACES:
                for old, new in uploads.items():
                    environ[place] = environ[place].replace(old, new)
            with (self._bodies / str(kept["body"])).open("rb") as body:
                _, answer = call(application, environ, body)
            found = _UPLOAD_ID.search(answer)
            if kept["upload"] and found:
                uploads[kept["upload"]] = found[1].decode()


def _whole_lines(file: IO[bytes]) -> list[bytes]:
    """The lines of a file, which ends behind them from now on: whoever was killed while writing left half a one."""
    file.seek(0)
    written = file.read()
    end = written.rfind(b"\n") + 1
    file.truncate(end)
    return written[:end].splitlines()


def _operation(environ: Environ, body: IO[bytes]) -> str:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if isinstance(value, str)
    }
    query = str(environ["QUERY_STRING"]).encode("latin-1")
    signed = scope_of(headers, query)
    service = signed.service if signed is not None else "s3"
    form = b""
    if service != "s3" and headers.get("content-type", "").startswith(_FORM):
        body.seek(0)
        form = body.read()
    scope = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "query_string": query}
    return operations.operation_of(service, scope, headers, form)


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UsageError(
            "another local AWS uses this state folder",
            where=folder.parent,
            hint="argosy simulate aws --state ./another-folder",
        ) from None
    return descriptor
