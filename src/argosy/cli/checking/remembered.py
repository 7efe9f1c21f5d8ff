"""Reports of earlier runs in the cache: `argosy check --changed-only` gives one again when nothing has changed."""

import hashlib
import importlib.metadata
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from argosy.cli.checking import inputs
from argosy.cli.checking.options import Options
from argosy.cli.containers import identity
from argosy.cli.environment import Environment
from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import Status
from argosy.conformance.finding import Report
from argosy.conformance.judgement import CHECK_FAILED
from argosy.conformance.terms import Terms
from argosy.model_archive import written_aside
from argosy.publishing.description import stored

_FOLDER: Final = "reports"
_SCANNED: Final = "image-vulnerabilities"


class Memory:
    """The last report on each target, by everything that decides it.

    Args:
        cache_dir: The user's cache folder; what is in it may be deleted at any time.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._folder = cache_dir / _FOLDER

    def find(self, key: str) -> Report | None:
        """The report of a key, marked as given again; None where none can be read."""
        try:
            path = self._folder / f"{key}.json"
            report = msgspec.json.decode(path.read_bytes(), type=Report)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return replace(report, is_given_again=True)

    def keep(self, key: str, report: Report) -> None:
        """Remember a report; a cache that cannot be written to, or a name that is no Unicode, leaves nothing."""
        with suppress(OSError, UnicodeEncodeError):
            content = msgspec.json.encode(report)
            with written_aside(self._folder / f"{key}.json") as aside:
                aside.write_bytes(content)


def is_final(report: Report, around: Environment) -> bool:
    """Whether the same would be found again: nothing in it is unknown for a cause that the key does not have.

    A check that failed itself may succeed the next time, and so may a scanner that is installed and gave no result.
    """
    unknown = [finding for finding in report.findings if finding.status is Status.UNKNOWN]
    if any(finding.verdict.reason.startswith(CHECK_FAILED) for finding in unknown):
        return False
    return all(finding.clause.id != _SCANNED for finding in unknown) or not inputs.has_scanner(around.variables)


def key_of(target: str, options: Options, terms: Terms, around: Environment) -> str:
    """What decides a report: the image's digest or the project's files, the options, the terms, the clauses, Argosy.

    A waiver that expires is a change, and so is a clause that was added or asks otherwise, and a scanner's database.

    Raises:
        EngineError: The engine that has the image does not answer, or has no such image.
        ImageError: The image is broken.
    """
    named = replace(options, waivers=(), project=None, model_data=None, samples=(), written=())
    folder = Path(target)
    parts: list[object] = [
        importlib.metadata.version("argosy"),
        tuple(CLAUSES.values()),
        os.fsencode(target),
        inputs.of_folder(folder, options.written) if folder.is_dir() else identity(target, options.container, around),
        inputs.of_archive(options.model_data),
        inputs.of_scanner(around.variables),
        inputs.of_sdk(),
        named,
        options.samples,
        options.project and inputs.of_named(options.project),
        stored.kept(folder) if options.project is None else stored.kept(options.project.root),
        terms.profile,
        terms.waivers,
        terms.in_force(),
    ]
    return hashlib.sha256(repr(msgspec.to_builtins(parts)).encode(errors="surrogateescape")).hexdigest()
