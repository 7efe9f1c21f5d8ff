"""Reads a project for what it sells: the tables, the files that they name, and botocore's judgement of the request."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from argosy.aws import service_model
from argosy.conformance.case import Case
from argosy.conformance.probes import Request, invocation
from argosy.conformance.scenes.project import ApiModel, BuyerCode, Folder, Metered, NamedFile, Notebook, ProjectFacts
from argosy.errors import ProjectError, UsageError
from argosy.marketplace.model_package import PackageTypes, create_request
from argosy.marketplace.table import INFERENCE_COUNT, Marketplace
from argosy.project import Project

SCENES: Final = (ProjectFacts, Notebook, BuyerCode)
NO_PROJECT: Final = "nothing says what is sold: the target is no project, and no --project was given"
NO_TABLE: Final = "argosy.toml has no [marketplace] table"

_HEAD: Final = 2**20
_HEADS: Final = 64 * 2**20
_MOST_FILES: Final = 10_000
_LARGEST_NOTEBOOK: Final = 64 * 2**20
_NO_ACCOUNT: Final = "000000000000"
_NO_DIGEST: Final = "sha256:" + "0" * 64


def observe_project(
    project: Project | None, image_bytes: int | None = None, opt_ins: Mapping[str, str | None] | None = None
) -> Case:
    """The scenes of a project that sells something; else why there are none.

    Args:
        project: The project; None when what is examined is no project.
        image_bytes: Size of its image, unpacked; None when none was built.
        opt_ins: Region -> how accounts get it, as far as AWS told; None when it was not to be asked.
    """
    if project is None:
        return Case().without(SCENES, NO_PROJECT)
    table = project.marketplace
    if table is None:
        return Case().without(SCENES, NO_TABLE)
    files = _Files(project.root)
    types = PackageTypes.of(table, project.serving.content_types or ())
    image = _image(table)
    has_archive = project.artifacts_dir is not None and not project.model.bake
    said = table.validation
    facts = ProjectFacts(
        table=table,
        types=types,
        serving=project.serving,
        base=project.image.base,
        image=image,
        has_archive=has_archive,
        artifacts_bytes=0 if project.artifacts_dir is None else _size(project.artifacts_dir),
        image_bytes=image_bytes,
        samples=None if said.samples is None else files.folder(said.samples),
        expected=None if said.expected is None else files.folder(said.expected),
        files={name: files.named(name) for name in _named(table)},
        metered=tuple(_metered(project)),
        opt_ins=opt_ins,
        api=_api(create_request(table, types, image, has_archive)),
        root=project.root,
    )
    case = Case.of(facts)
    pieces = [("usage.instructions", table.usage.instructions)]
    if table.usage.notebook is None:
        case = case.without((Notebook,), "`marketplace.usage.notebook` names no notebook of the project")
    else:
        notebook = _notebook(files, table.usage.notebook)
        case = case.joined(Case.of(notebook))
        pieces.append((notebook.path, "\n".join(notebook.cells)))
    return case.joined(Case.of(BuyerCode(tuple(pieces))))


def requests_of(facts: ProjectFacts) -> tuple[Request, ...]:
    """What a project says that its image understands: a sample of each content type, in each response type.

    An endpoint gets what the validation's job would send in one request. None for samples that are larger than is kept
    of them, and none of the validation's for records in frames.
    """
    said = facts.table.validation
    own = {file.path for file in facts.samples.files} if facts.samples else set()
    found = []
    for content_type, file in facts.samples_by_type().items():
        body = file.head
        if file.path in own and said.split_type not in ("None", "Line"):
            continue
        if file.path in own and said.split_type == "Line" and said.batch_strategy == "SingleRecord":
            body = body.splitlines()[0]
        found += [
            invocation(content_type, body, f"sample `{file.path}`", accept=accept)
            for accept in facts.types.response_types
        ]
    return tuple(found)


class _Files:
    """Reads files of one project, none that lies outside it, and no more of them than memory should hold.

    Args:
        root: The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._left = _HEADS

    def named(self, name: str) -> NamedFile:
        """A file by its path in the project."""
        path = self._root / name
        if not path.resolve().is_relative_to(self._root):
            return NamedFile(name, fault="leads out of the project folder")
        if not path.is_file():
            return NamedFile(name, fault="is a folder" if path.is_dir() else "is not there")
        try:
            with path.open("rb") as stream:
                head = stream.read(min(_HEAD, self._left))
            size = path.stat().st_size
        except OSError as error:
            return NamedFile(name, fault=f"cannot be read: {error.strerror}")
        self._left -= len(head)
        return NamedFile(name, size, head)

    def folder(self, name: str) -> Folder:
        """A folder by its path in the project, with what is in it and below it; hidden files are left out."""
        path = self._root / name
        if not path.resolve().is_relative_to(self._root):
            return Folder(name, fault="leads out of the project folder")
        if not path.is_dir():
            return Folder(name, fault="is a file" if path.is_file() else "is not there")
        found: list[NamedFile] = []
        for file in sorted(path.rglob("*")):
            below = file.relative_to(path)
            if file.is_dir() or any(part.startswith(".") for part in below.parts):
                continue
            if len(found) == _MOST_FILES:
                return Folder(name, fault=f"has more than {_MOST_FILES:,} files")
            found.append(self.named(f"{name.rstrip('/')}/{below.as_posix()}"))
        return Folder(name.rstrip("/"), tuple(found))

    def text(self, name: str, limit: int) -> str:
        """The text of a file that `named` found.

        Raises:
            ValueError: It is too large, or no UTF-8.
        """
        with (self._root / name).open("rb") as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"has more than {limit:,} bytes")
        return content.decode()


def _named(table: Marketplace) -> Iterator[str]:
    for side in (table.usage.input, table.usage.output):
        for sample in (side.realtime_sample, side.batch_sample):
            if sample.file is not None:
                yield sample.file


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _image(table: Marketplace) -> str:
    """The reference by which the package would name its image: what is not known yet has its length all the same."""
    if table.account.registry_host:
        return f"{table.account.repository}@{_NO_DIGEST}"
    role = re.match(r"arn:aws[a-z-]*:iam::(\d{12}):", table.validation.role or "")
    account = table.account.id or (role.group(1) if role else _NO_ACCOUNT)
    return f"{account}.dkr.ecr.{table.region}.amazonaws.com/{table.account.repository}@{_NO_DIGEST}"


def _api(request: dict[str, Any]) -> ApiModel | None:
    """botocore's judgement of the request; None without botocore."""
    try:
        model = service_model.load("sagemaker")
    except UsageError:
        return None
    operation = model.operation("CreateModelPackage")
    violations = [] if operation is None else [*_lacking(request), *operation.violations(request)]
    return ApiModel(
        model.source,
        frozenset(model.enumeration("ProductionVariantInstanceType")),
        frozenset(model.enumeration("TransformInstanceType")),
        tuple(violations),
    )


def _lacking(request: dict[str, Any]) -> Iterator[str]:
    """What AWS Marketplace asks for and the API's model does not."""
    if "ValidationSpecification" not in request:
        yield "Value null at 'validationSpecification' failed to satisfy constraint: Member must not be null"


def _notebook(files: _Files, name: str) -> Notebook:
    found = files.named(name)
    if found.fault:
        return Notebook(name, fault=found.fault)
    try:
        content = json.loads(files.text(name, _LARGEST_NOTEBOOK))
        cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        sources = [cell["source"] for cell in cells]
        joined = tuple(source if isinstance(source, str) else "".join(source) for source in sources)
    except (ValueError, LookupError, TypeError, OSError, RecursionError) as error:
        return Notebook(name, fault=f"is no notebook: {type(error).__name__}: {error}"[:200])
    return Notebook(name, joined)


def _metered(project: Project) -> Iterator[Metered]:
    """The calls of `meter` in the project's program."""
    try:
        names = [name for name in project.program_files() if name.suffix == ".py"]
    except ProjectError:
        return
    for name in names:
        try:
            tree = ast.parse((project.root / name).read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) == "meter":
                yield Metered(f"{name.as_posix()}:{node.lineno}", _dimension(node))


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _dimension(call: ast.Call) -> str | None:
    """The dimension that a call names, None where it is computed."""
    named = [word.value for word in call.keywords if word.arg == "dimension"] or call.args[1:2]
    if not named:
        return INFERENCE_COUNT
    return named[0].value if isinstance(named[0], ast.Constant) and isinstance(named[0].value, str) else None
