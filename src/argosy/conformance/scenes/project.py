"""A project at rest: what its argosy.toml says of a model package and a product, and the files that it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy import media_type
from argosy.marketplace.listing import Sample
from argosy.marketplace.model_package import PackageTypes
from argosy.marketplace.table import Marketplace
from argosy.project_file import Serving


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file of the project that the table names.

    Attributes:
        path: Relative to the project.
        size: In bytes; 0 when it cannot be read.
        head: Its first bytes, all of them when it is small.
        fault: Why it cannot be read, as the end of a sentence about it; empty when it can.
    """

    path: str
    size: int = 0
    head: bytes = b""
    fault: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether `head` has all of it."""
        return len(self.head) == self.size


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the project that the table names.

    Attributes:
        path: Relative to the project.
        files: What is in it and below it, by name.
        fault: Why it cannot be read, as the end of a sentence about it; empty when it can.
    """

    path: str
    files: tuple[NamedFile, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ApiModel:
    """What botocore's model of the `sagemaker` API says of the package.

    Attributes:
        source: Which botocore.
        realtime: The instance types of endpoints.
        batch: The instance types of transform jobs.
        violations: What CreateModelPackage would say of the request, one sentence each.
    """

    source: str
    realtime: frozenset[str]
    batch: frozenset[str]
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metered:
    """A call of `argosy.meter` in the project's program.

    Attributes:
        place: File and line.
        dimension: What it counts; None where that is computed.
    """

    place: str
    dimension: str | None


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What a project says of what it sells.

    Attributes:
        table: `[marketplace]`.
        types: The package's media types, `[serving]` heeded.
        serving: `[serving]`.
        base: `image.base`.
        image: Reference by which the package would name its image; the digest is invented where none is known.
        has_archive: Whether the artifacts are in a model.tar.gz; else they are in the image.
        artifacts_bytes: Size of the model's files, unpacked.
        image_bytes: Size of the image, unpacked; None when none was built.
        samples: The validation's samples; None when none are named.
        expected: The results to compare with; None when none are named.
        files: The other files that the table names, by their paths.
        metered: Where the program counts what is charged.
        opt_ins: Region -> how accounts get it, as far as AWS told; None when it was not to be asked.
        api: botocore's model; None when botocore is not installed.
        root: The project's folder.
    """

    table: Marketplace
    types: PackageTypes
    serving: Serving = field(default_factory=Serving)
    base: str = "debian"
    image: str = ""
    has_archive: bool = False
    artifacts_bytes: int = 0
    image_bytes: int | None = None
    samples: Folder | None = None
    expected: Folder | None = None
    files: Mapping[str, NamedFile] = field(default_factory=dict)
    metered: tuple[Metered, ...] = ()
    opt_ins: Mapping[str, str | None] | None = None
    api: ApiModel | None = None
    root: Path = Path()

    def samples_by_type(self) -> dict[str, NamedFile]:
        """Content type of the package -> the smallest sample of it that is kept whole, where there is one.

        The validation's samples are of the type that its job sends, unless the suffix says that they are of another one
        of the package's; the files of `[marketplace.usage.input]` are of the type that their suffix says.
        """
        said, usage = self.table.validation, self.table.usage.input
        sent = said.content_type or next(iter(self.types.content_types), "")
        named = {sample.file for sample in (usage.realtime_sample, usage.batch_sample)}
        own = [(file, sent) for file in (self.samples.files if self.samples else ())]
        found: dict[str, NamedFile] = {}
        for file, default in (*own, *((file, "") for path, file in self.files.items() if path in named)):
            if not file.size or not file.is_whole or file.fault:
                continue
            type_ = self._type_by_suffix(file) or default
            if type_ and (type_ not in found or file.size < found[type_].size):
                found[type_] = file
        return found

    def _type_by_suffix(self, file: NamedFile) -> str | None:
        """The content type of the package that a file's suffix tells; None where it tells none of them."""
        told = media_type.of_suffix(file.path)
        sent = self.table.validation.content_type
        names = (*((sent,) if sent else ()), *self.types.content_types)
        return next((name for name in names if (found := media_type.parse(name)) and found.essence == told), None)

    def text_of(self, sample: Sample) -> str | None:
        """What a sample says, its file's text too; None for a URL or a file that cannot be read."""
        if sample.file is None:
            return sample.text
        found = self.files.get(sample.file)
        return None if found is None or found.fault else found.head.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Notebook:
    """The sample notebook in the project.

    Attributes:
        path: Relative to the project.
        cells: Source of its code cells, in order.
        fault: Why it cannot be read, as the end of a sentence about it; empty when it can.
    """

    path: str
    cells: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class BuyerCode:
    """All code that buyers are given to copy.

    Attributes:
        pieces: Where it is (`usage.instructions`, the notebook's path) and what it says.
    """

    pieces: tuple[tuple[str, str], ...]
