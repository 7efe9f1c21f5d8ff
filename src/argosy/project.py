"""argosy.toml, read once into frozen values; nothing else reads the file."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from argosy.contract import Variable
from argosy.errors import ProjectError

FILE_NAME = "argosy.toml"
_IGNORED_FOLDERS = frozenset({"__pycache__", "build", "dist", "node_modules", "tests", "venv"})

PredictorPath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
PythonVersion = Annotated[str, msgspec.Meta(pattern=r"^3\.\d{1,2}$")]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[model]` table: what is served.

    Attributes:
        predictor: `module:Class`, imported from the project folder.
        artifacts: Folder of the model's files, relative to the project; None when there are none.
        bake: Whether `argosy build` puts the artifacts into the image; `argosy pack` makes model.tar.gz either way.
    """

    predictor: PredictorPath
    artifacts: str | None = None
    bake: bool = True


class Serving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[serving]` table: how the server in the image behaves.

    Attributes:
        content_types: Media types that are taken and given; the first stands in for a missing Content-Type. None means
            what the annotation of `predict` can take: JSON and CSV for arrays and lists, anything for `bytes`.
        workers: Model processes; 0 means one for each processor.
        queue: Invocations that may wait for a model process; one more is answered with 503.
        max_body_mb: Largest request body, in MB; larger ones are answered with 413.
        deadline_s: Seconds after which an unanswered invocation is answered with 503, below SageMaker's own 60;
            None means 55, and 3590 in a transform job, which waits up to an hour.
    """

    content_types: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    workers: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    queue: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1024
    max_body_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 100
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] | None = None


class ImageTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[image]` table: what the image is made of.

    Attributes:
        base: `debian`, or an image reference as skopeo names it.
        python: `3.x` of the base; None means whatever the base has.
        dependencies: A requirements file, relative to the project; None when the predictor needs nothing.
        include: Patterns of the files that enter the image beside the artifacts.
        exclude: Patterns of the files that do not.
        environment: Variables set in the image.
    """

    base: str = "debian"
    python: PythonVersion | None = None
    dependencies: str | None = None
    include: tuple[str, ...] = ("**/*.py",)
    exclude: tuple[str, ...] = ()
    environment: dict[str, str] = {}


class ProjectFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of argosy.toml; only `[model]` is required."""

    model: Model
    serving: Serving = Serving()
    image: ImageTable = ImageTable()


class Project(msgspec.Struct, frozen=True):
    """A project folder and what its argosy.toml says.

    Attributes:
        root: The folder, absolute.
        model: What is served.
        serving: How the server behaves.
        image: What the image is made of.
    """

    root: Path
    model: Model
    serving: Serving
    image: ImageTable

    @property
    def artifacts_dir(self) -> Path | None:
        """The folder of the model's files, absolute, or None."""
        return None if self.model.artifacts is None else self.root / self.model.artifacts

    @property
    def dependencies_file(self) -> Path | None:
        """The requirements file, absolute, or None."""
        return None if self.image.dependencies is None else self.root / self.image.dependencies

    def program_files(self) -> list[Path]:
        """The files that `include` names and `exclude` does not, sorted, relative to `root`.

        Hidden folders, caches, virtual environments, tests, builds and the artifacts are never among them; links that
        lead out of the project are refused.

        Raises:
            ProjectError: A link leads out of the project folder, or no file is left.
        """
        chosen = {
            path.relative_to(self.root)
            for pattern in self.image.include
            for path in self.root.glob(pattern)
            if path.is_file() and self._may_ship(path)
        }
        excluded = {path.relative_to(self.root) for pattern in self.image.exclude for path in self.root.glob(pattern)}
        files = sorted(p for p in chosen if p not in excluded and not excluded.intersection(p.parents))
        for path in files:
            if not (self.root / path).resolve().is_relative_to(self.root):
                raise ProjectError(f"`{path}` leads out of the project folder", where=self.root / FILE_NAME)
        if not files:
            raise ProjectError(
                "no file of the project enters the image",
                got=f"include = {list(self.image.include)}, exclude = {list(self.image.exclude)}",
                want="at least the predictor's module",
                where=self.root / FILE_NAME,
            )
        return files

    def server_environment(self) -> dict[str, str]:
        """The variables that tell the server in the image what this project says; paths are the caller's to add."""
        serving = self.serving
        chosen: dict[str, str] = {
            Variable.PREDICTOR: self.model.predictor,
            Variable.WORKERS: str(serving.workers),
            Variable.QUEUE: str(serving.queue),
            Variable.MAX_BODY_MB: str(serving.max_body_mb),
        }
        if serving.content_types is not None:
            chosen[Variable.CONTENT_TYPES] = ",".join(serving.content_types)
        if serving.deadline_s is not None:
            chosen[Variable.DEADLINE_S] = f"{serving.deadline_s:g}"
        return chosen

    def _may_ship(self, path: Path) -> bool:
        parts = path.relative_to(self.root).parts
        hidden = any(part.startswith(".") for part in parts)
        ignored = any(part in _IGNORED_FOLDERS for part in parts[:-1])
        artifacts = self.artifacts_dir is not None and path.is_relative_to(self.artifacts_dir)
        virtual = any((parent / "pyvenv.cfg").exists() for parent in path.parents if parent != self.root)
        return not (hidden or ignored or artifacts or virtual)


def load(folder: Path) -> Project:
    """Read the argosy.toml of a project folder.

    Raises:
        ProjectError: The file is missing, is not TOML, has an unknown or wrong field, or names a missing file.
    """
    root = folder.resolve()
    path = root / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProjectError(
            f"no `{FILE_NAME}` in `{folder}`",
            hint=f"printf '[model]\\npredictor = \"predictor:MyModel\"\\n' > {folder / FILE_NAME}",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError("cannot be read", got=error, where=path) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError("not a TOML file", got=error, where=path) from error
    try:
        parsed = msgspec.convert(table, ProjectFile)
    except msgspec.ValidationError as error:
        raise _explained(error, path, text) from error
    project = Project(root, parsed.model, parsed.serving, parsed.image)
    _require_files(project)
    return project


def schema() -> dict[str, Any]:
    """The JSON schema of argosy.toml, as docs/reference publishes it."""
    return msgspec.json.schema(ProjectFile)


def _require_files(project: Project) -> None:
    where = project.root / FILE_NAME
    module = project.model.predictor.partition(":")[0].partition(".")[0]
    if not (project.root / f"{module}.py").is_file() and not (project.root / module).is_dir():
        raise ProjectError(
            "`model.predictor` names a module that is not in the project",
            got=f"`{project.model.predictor}`",
            want=f"`{module}.py` or a folder `{module}/` beside {FILE_NAME}",
            where=where,
        )
    for field, path, kind in (
        ("model.artifacts", project.artifacts_dir, "folder"),
        ("image.dependencies", project.dependencies_file, "file"),
    ):
        if path is None:
            continue
        if not path.resolve().is_relative_to(project.root):
            raise ProjectError(f"`{field}` leads out of the project folder", got=f"`{path}`", where=where)
        if not (path.is_dir() if kind == "folder" else path.is_file()):
            raise ProjectError(f"`{field}` names a {kind} that is not there", got=f"`{path}`", where=where)
    reserved = sorted(name for name in project.image.environment if name in set(Variable))
    if reserved:
        raise ProjectError("`image.environment` sets what the other tables decide", got=f"`{reserved[0]}`", where=where)


def _explained(error: msgspec.ValidationError, path: Path, text: str) -> ProjectError:
    """msgspec's sentence, with the line of the field and a guess at a misspelt name."""
    sentence, _, place = str(error).partition(" - at `$")
    keys = [key for key in place.rstrip("`").split(".") if key]
    hint = None
    unknown = re.search(r"unknown field `([^`]+)`", sentence)
    if unknown:
        names = _field_names(keys)
        near = difflib.get_close_matches(unknown.group(1), names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}"
        keys = [*keys, unknown.group(1)]
    line = _line_of(keys, text)
    where = f"{path}:{line}" if line else str(path)
    field = ".".join(keys) or "the file"
    return ProjectError(f"`{field}`: {sentence[:1].lower()}{sentence[1:]}", where=where, hint=hint)


def _field_names(keys: list[str]) -> list[str]:
    tables: Mapping[str, type[msgspec.Struct]] = {"model": Model, "serving": Serving, "image": ImageTable}
    struct = tables.get(keys[0], ProjectFile) if keys else ProjectFile
    return [field.name for field in msgspec.structs.fields(struct)]


def _line_of(keys: list[str], text: str) -> int | None:
    """The line of a dotted field in the text: under its table's heading if there is one."""
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        heading = re.match(r"\s*\[\s*([\w.]+)\s*\]", line)
        if heading:
            table = heading.group(1)
        name = re.match(r"\s*([\w.]+)\s*=", line)
        dotted = ".".join(filter(None, [table, name.group(1) if name else ""]))
        if dotted == re.sub(r"\[.*$", "", ".".join(keys)):
            return number
    return None
