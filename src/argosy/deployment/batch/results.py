"""The results of a transform job, fetched into a folder: each written aside and renamed, so what is there is whole."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment.batch.job import KEY as JOB_KEY
from argosy.deployment.batch.place import Listed, Objects, list_call, listed, safe_path, uri
from argosy.planning.step import Change, Kind, Later, Outputs, Work, output

KEY: Final = "results"
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_CHUNK: Final = 2**20


@dataclass(frozen=True, slots=True)
class ResultsStep:
    """The results on this machine.

    Attributes:
        folder: Where they go.
        region: Where the job runs.
        objects: What carries them.
    """

    folder: Path
    region: str
    objects: Objects
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Which are not here yet, as they are there.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: A key leads out of the folder.
        """
        place = output(known, JOB_KEY, "results")
        title = f"results in {self.folder}"
        if isinstance(place, Later):
            return Change(KEY, title, Kind.CREATE)
        found = listed(reader, self.region, uri(place)) or ()
        missing = [one for one in found if not self._is_here(one)]
        get: dict[str, Any] = {"Bucket": uri(place).bucket, "Key": f"{uri(place).key}*"}
        reads = (list_call(self.region, uri(place)), Call("s3", "GetObject", self.region, get))
        kind = Kind.CREATE if missing or not found else Kind.NOTHING
        notes = (f"fetched from {place}",) if kind is Kind.CREATE else ()
        return Change(KEY, title, kind, reads=reads, notes=notes, outputs={"folder": str(self.folder)})

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Fetch those that are missing.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: A key leads out of the folder.
            StorageError: S3 refuses an object.
        """
        place = uri(work.known[JOB_KEY]["results"])
        found = listed(work.api, self.region, place) or ()
        missing = [one for one in found if not self._is_here(one)]
        for number, one in enumerate(missing, start=1):
            path = safe_path(self.folder, one.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}.partial")
            try:
                with aside.open("w+b") as stream:
                    self.objects.download(place.bucket, place.key + one.name, stream)
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
            work.report(f"result {number} of {len(missing)}: {one.name}, {one.size / 1e6:.1f} MB")
        return {"folder": str(self.folder)}

    def _is_here(self, one: Listed) -> bool:
        """Whether the file is the object: by size, and by content where the entity tag tells it, else by time."""
        path = safe_path(self.folder, one.name)
        if not path.is_file() or path.stat().st_size != one.size:
            return False
        return _content_digest(path) == one.etag if _MD5.fullmatch(one.etag) else path.stat().st_mtime >= one.modified_s


def _content_digest(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
