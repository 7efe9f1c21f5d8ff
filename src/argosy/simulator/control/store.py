"""The resources on disk: one SQLite file in a state folder that one simulator holds at a time.

What is asked for is written before it is done, and what was done after it is so: whatever moment the simulator is
killed at, the file says what was asked and not yet finished. Every change is one transaction.
"""

import asyncio
import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from argosy.errors import UsageError
from argosy.simulator.answers import ACCOUNT
from argosy.simulator.backoff import delays
from argosy.simulator.control.resources import Kind, Resource
from argosy.simulator.health import Report

_VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE resources (
    kind TEXT NOT NULL,
    region TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    created REAL NOT NULL,
    modified REAL NOT NULL,
    status TEXT NOT NULL,
    failure TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (kind, region, key)
) STRICT;
CREATE TABLE tags (
    arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) STRICT;
"""
_COLUMNS: Final = "kind, region, name, created, modified, status, failure, request, state"


class Store:
    """The resources of a state folder; used by one thread.

    Args:
        folder: Made where it is missing, for its owner alone: requests may hold secrets.
        account: Whose resources they are.
        shared: Looks up a model package of another account by its ARN.

    Raises:
        UsageError: Another simulator holds the folder, it cannot be written, or a newer Argosy wrote it.
    """

    def __init__(
        self,
        folder: Path,
        account: str = ACCOUNT,
        shared: Callable[[str], Resource | None] = lambda _arn: None,
    ) -> None:
        self.folder = folder
        self.account = account
        self.shared = shared
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _lock(folder)
        except OSError as error:
            raise UsageError("the state folder cannot be used", got=error, where=folder) from error
        try:
            self._database = _open(folder / "state.sqlite3")
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Let go of the folder."""
        self._database.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Changes inside are made together or not at all."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # some faults have ended it already
                self._database.execute("ROLLBACK")
            raise

    def find(self, kind: Kind, region: str, name: str) -> Resource | None:
        """The resource of a name, in whatever case it is written."""
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM resources WHERE kind = ? AND region = ? AND key = ?",
            (kind, region, name.lower()),
        ).fetchone()
        return None if found is None else self._resource(found)

    def all(self, kind: Kind, region: str | None = None) -> list[Resource]:
        """All resources of a kind, of one region or of all."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM resources WHERE kind = ? AND region = coalesce(?, region) ORDER BY created, key",
            (kind, region),
        )
        return [self._resource(row) for row in rows]

    def add(self, resource: Resource, tags: Mapping[str, str]) -> None:
        """Write a new resource with its tags."""
        with self.transaction():
            self._database.execute(
                f"INSERT INTO resources (key, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (resource.name.lower(), *_row(resource)),
            )
            self._database.executemany(
                "INSERT INTO tags VALUES (?, ?, ?)", [(resource.arn, *pair) for pair in tags.items()]
            )

    def change(self, resource: Resource) -> None:
        """Write a resource that is there again, with other contents."""
        self._database.execute(
            "UPDATE resources SET (modified, status, failure, request, state) = (?, ?, ?, ?, ?)"
            " WHERE kind = ? AND region = ? AND key = ?",
            (*_row(resource)[4:], resource.kind, resource.region, resource.name.lower()),
        )

    def remove(self, resource: Resource) -> None:
        """Forget a resource and its tags."""
        with self.transaction():
            self._database.execute(
                "DELETE FROM resources WHERE kind = ? AND region = ? AND key = ?",
                (resource.kind, resource.region, resource.name.lower()),
            )
            self._database.execute("DELETE FROM tags WHERE arn = ?", (resource.arn,))

    def _resource(self, row: "_Row") -> Resource:
        kind, region, name, created, modified, status, failure, request, state = row
        loaded = (json.loads(request), status, failure, json.loads(state))
        return Resource(Kind(kind), region, name, created, modified, *loaded, self.account)

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a resource, in the order of their keys."""
        return dict(self._database.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,)).fetchall())

    def set_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Make these the tags of a resource, instead of those that it had."""
        with self.transaction():
            self._database.execute("DELETE FROM tags WHERE arn = ?", (arn,))
            self._database.executemany("INSERT INTO tags VALUES (?, ?, ?)", [(arn, *pair) for pair in tags.items()])


async def insist(change: Callable[[], None], report: Report) -> None:
    """Write down what has come about, as often as it takes: a full disk must not leave a status that is not so."""
    for delay_s in delays():
        try:
            change()
        except sqlite3.Error as error:
            report(f"the state cannot be written, next attempt in {delay_s:g} s: {error}")
            await asyncio.sleep(delay_s)
        else:
            return


def _lock(folder: Path) -> TextIO:
    """The lock of a folder, which ends with the process, however that ends."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read().strip()
        file.close()
        raise UsageError(
            "another simulator uses this state folder",
            got=f"process {holder}" if holder else None,
            where=folder,
            hint="argosy simulate up --state ./another-folder",
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; the machine's end may
        version: int = database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise UsageError(
                "another version of Argosy wrote this state",
                got=f"schema {version}",
                want=f"schema {_VERSION}",
                where=path,
                hint="argosy simulate up --state ./another-folder",
            )
    except sqlite3.DatabaseError as error:
        database.close()
        raise UsageError("the state is no database of Argosy's", got=error, where=path) from error
    except BaseException:
        database.close()
        raise
    return database


_Row = tuple[str, str, str, float, float, str, str, str, str]


def _row(resource: Resource) -> _Row:
    return (
        resource.kind,
        resource.region,
        resource.name,
        resource.created,
        resource.modified,
        resource.status,
        resource.failure,
        json.dumps(dict(resource.request)),
        json.dumps(dict(resource.state)),
    )
