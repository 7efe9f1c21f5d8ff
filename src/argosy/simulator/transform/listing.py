"""The objects of a transform job: listed, divided among instances, and noted in the manifests of data capture."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from argosy.errors import StorageError, TransformError, UsageError
from argosy.simulator.storage.objects import ObjectStore, ObjectUri, StoredObject
from argosy.simulator.transform.definition import (
    Assumptions,
    BatchDataCaptureConfig,
    DataType,
    OutputKeys,
    TransformJobDefinition,
)

OUT_SUFFIX: Final = ".out"


@dataclass(frozen=True, slots=True)
class InputObject:
    """One object of the input.

    Attributes:
        uri: Where it is.
        size: In bytes.
        etag: Changes when its content does.
        output: Where its result goes.
    """

    uri: ObjectUri
    size: int
    etag: str
    output: ObjectUri

    @property
    def name(self) -> str:
        """As the data log calls it; printable whatever the key is."""
        return f"{self.uri.bucket}/{self.uri.key}".encode(errors="surrogateescape").decode(errors="replace")


def input_objects(
    job: TransformJobDefinition, store: ObjectStore, assumptions: Assumptions, report: Callable[[str], None]
) -> list[InputObject]:
    """The objects that a job's `S3Uri` names, in the order of the list or the manifest; blocks.

    Args:
        job: The job.
        store: Where its input is.
        assumptions: How results are called.
        report: Takes a sentence for every key that is no object.

    Raises:
        StorageError: The bucket, the manifest or an object that it names is not there.
        TransformError: There is no object, or the manifest is none.

    Source:
        SageMaker API reference, "S3DataSource", "TransformS3DataSource" (read 2026-11-23).
    """
    uri = job.input_uri
    if job.transform_input.data_source.s3_data_source.s3_data_type is DataType.MANIFEST:
        named = _of_manifest(uri, store)
    else:
        above = uri.key.rpartition("/")[0]
        kept = len(above) + 1 if above and assumptions.output_keys is OutputKeys.BELOW_LAST_SLASH else 0
        named = [(uri.bucket, found, found.key[kept:]) for found in store.list(uri)]
    objects: dict[ObjectUri, InputObject] = {}
    for bucket, found, relative in named:
        if found.key.endswith("/"):
            report(f"{bucket}/{found.key}: a folder's placeholder, not transformed")
            continue
        place = ObjectUri(bucket, found.key)
        output = job.output_uri.child(relative + OUT_SUFFIX)
        objects.setdefault(place, InputObject(place, found.size, found.etag, output))
    if not objects:
        raise no_objects(job)
    return list(objects.values())


def no_objects(job: TransformJobDefinition) -> TransformError:
    """A job has nothing to transform."""
    return TransformError(f'No S3 objects found under S3 URL "{job.input_uri}" given in input data source')


def local_objects(
    source: Path, output: Path, report: Callable[[str], None]
) -> tuple[dict[str, Path], list[InputObject]]:
    """The files of a folder, or a single file, as objects of a bucket that has the folder's name.

    Args:
        source: A folder or a file.
        output: The folder of the results; not inside `source`, lest results become input.
        report: Takes a sentence for everything in the input folder that is no object: links to folders, links to
            nothing, pipes and the like.

    Returns:
        The folders of the buckets by name, and the objects in the order of S3's listings.

    Raises:
        UsageError: There is no input, the output lies in it, or the output can be no folder.
    """
    existing = next((path for path in (output, *output.parents) if os.path.lexists(path)), output)
    if os.path.lexists(existing) and not existing.is_dir():
        raise UsageError("the output is not a folder", got=f"`{existing}`", want="a folder, or a name that is free")
    if source.is_file():
        files = [source]
        source = source.parent
    elif source.is_dir():
        if output.resolve().is_relative_to(source.resolve()):
            raise UsageError("the output folder lies in the input folder", got=f"`{output}` in `{source}`")
        files = sorted(_files(source, report), key=lambda path: os.fsencode(path.relative_to(source).as_posix()))
    else:
        raise UsageError("the input is not there", got=f"`{source}`", want="a folder, or a file")
    if not files:
        raise UsageError("the input folder holds no file", got=f"`{source}`")
    bucket = source.resolve().name or "input"
    results = f"{bucket}-output"
    found = []
    for path in files:
        key = path.relative_to(source).as_posix()
        facts = path.stat()
        etag = f"{facts.st_ino:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"
        found.append(InputObject(ObjectUri(bucket, key), facts.st_size, etag, ObjectUri(results, key + OUT_SUFFIX)))
    return {bucket: source, results: output}, found


def share(objects: Sequence[InputObject], instance: int, instances: int) -> Sequence[InputObject]:
    """The objects of one instance of several; one without any idles.

    UNSURE: by what rule SageMaker divides the keys; here they are dealt out in turn.
    """
    return objects[instance::instances]


def write_manifests(
    capture: BatchDataCaptureConfig, done: Sequence[InputObject], name: str, started: datetime, store: ObjectStore
) -> None:
    """Note what was transformed and what came of it, below the hour in which the job started; blocks.

    UNSURE: what the manifests are called; here by the job's name.

    Args:
        capture: Where they go.
        done: The objects that have results, at least one.
        name: The job's.
        started: When it began.
        store: Where the bucket is.

    Raises:
        StorageError: They cannot be stored.

    Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-batch.html (read 2026-11-23)
    """
    destination = ObjectUri.parse(capture.destination_s3_uri)
    hour = started.strftime("%Y/%m/%d/%H")
    for folder, uris in (("input", [one.uri for one in done]), ("output", [one.output for one in done])):
        above = _shared_folder(uris)
        upload = store.create(destination.child(f"{folder}/{hour}/{name}.jsonl"))
        try:
            manifest = [{"prefix": str(above)}, *(uri.key.removeprefix(above.key) for uri in uris)]
            upload.stream.write(msgspec.json.format(msgspec.json.encode(manifest), indent=4))
        except BaseException:
            upload.discard()
            raise
        upload.finish()


def _shared_folder(uris: Sequence[ObjectUri]) -> ObjectUri:
    """The longest folder that all objects are in, with its slash."""
    first, last = min(uri.key for uri in uris), max(uri.key for uri in uris)
    shared = next(
        (count for count, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    above, slash, _ = first[:shared].rpartition("/")
    return ObjectUri(uris[0].bucket, above + slash)


def _of_manifest(uri: ObjectUri, store: ObjectStore) -> list[tuple[str, StoredObject, str]]:
    """The bucket, the object and its name of every entry."""
    with store.open(uri) as stream:
        text = stream.read()
    try:
        head, *names = msgspec.json.decode(text, type=list[dict[str, str] | str])
        prefix = head["prefix"] if isinstance(head, dict) and set(head) == {"prefix"} else None
        if prefix is None or not all(isinstance(name, str) for name in names):
            raise ValueError("it does not begin with one prefix, followed by names")
    except ValueError as error:
        raise TransformError(
            "the manifest is none", got=error, want='[{"prefix": "s3://bucket/folder/"}, "name", ...]', where=uri
        ) from error
    found = []
    for name in map(str, names):
        place = ObjectUri.parse(prefix + name)
        stored = store.find(place)
        if stored is None:
            raise StorageError("the manifest names an object that is not there", got=f"`{place}`", where=uri)
        found.append((place.bucket, stored, name))
    return found


def _files(folder: Path, report: Callable[[str], None]) -> list[Path]:
    """All files below a folder, links to files included; tells what else is there."""
    found = []

    def unreadable(error: OSError) -> None:
        raise UsageError("a folder of the input cannot be read", got=error) from error

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        for name in sorted([*names, *folders]):
            path = Path(parent) / name
            if path.is_file():
                found.append(path)
            elif path.is_symlink() or not path.is_dir():
                report(f"{path}: {_kind(path)}, not transformed: an object is a file")
    return found


def _kind(path: Path) -> str:
    """What is there that is no object."""
    if not path.is_symlink():
        return "a pipe" if stat.S_ISFIFO(path.lstat().st_mode) else "a socket or device"
    if not path.exists():
        return "a link to nothing"
    return "a link to a folder" if path.is_dir() else "a link to what is no file"
