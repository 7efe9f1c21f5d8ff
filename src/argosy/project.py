"""argosy.toml, read once into frozen values; nothing else reads the file."""

import difflib
import fnmatch
import os
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec

from argosy import media_type
from argosy.contract import Variable
from argosy.errors import ProjectError

FILE_NAME = "argosy.toml"
_IGNORED_FOLDERS = frozenset({"__pycache__", "build", "dist", "node_modules", "tests", "venv"})

_WILDCARD = re.compile(r"[*?\[]")

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
        include: Patterns of the files that enter the image beside the artifacts; each has to match something. A pattern
            with `*`, `?` or `[` never matches the artifacts, what is hidden, what lies in a folder `__pycache__`,
            `build`, `dist`, `node_modules`, `tests`, `venv` or another virtual environment, or behind a link to a
            folder; a whole path names any file.
        exclude: Patterns of the files and folders that do not enter it.
        environment: Variables set in the image, beside `PATH`.
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

        Hidden files, caches, virtual environments, tests, builds and the artifacts are among them only when a pattern
        without wildcards names the file.

        Raises:
            ProjectError: A pattern matches nothing, a link leads to nothing or out of the project folder, a folder
                cannot be read, a name is not UTF-8, or the predictor's module is not among them.
        """
        where = self.root / FILE_NAME
        shippable = list(self._walk())
        chosen: set[Path] = set()
        for pattern in self.image.include:
            if _WILDCARD.search(pattern):
                matched = {path for path in shippable if _matches(path.parts, _pattern_parts(pattern))}
            else:
                path = Path(pattern)
                is_there = os.path.lexists(self.root / path) and not (self.root / path).is_dir()
                matched = {path} if is_there and not self._is_excluded(path) else set()
            if not matched:
                raise ProjectError(
                    "`image.include` names no file of the project that may enter the image",
                    got=f"`{pattern}`",
                    where=where,
                    hint="name a folder with what is in it (`pkg/**/*`), and a file in a folder that is ignored "
                    f"({', '.join(sorted(_IGNORED_FOLDERS))}) by its whole path",
                )
            chosen |= matched
        for path in chosen:
            self._require_shippable(path)
        module = PurePosixPath(*self.model.predictor.partition(":")[0].split("."))
        if not any(_is_module(path, module) for path in chosen):
            raise ProjectError(
                "no file of the project for the predictor enters the image",
                got=f"include = {list(self.image.include)}, exclude = {list(self.image.exclude)}",
                want=f"`{module}.py` or `{module}/__init__.py` among them",
                where=where,
            )
        return sorted(chosen)

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

    def _walk(self) -> Iterator[Path]:
        """The files that a pattern with wildcards may match, relative to the project."""

        def fail(error: OSError) -> None:
            raise ProjectError(
                "a folder of the project cannot be read",
                got=error.strerror,
                where=error.filename,
                hint="let it be read, or name it in `image.exclude`",
            )

        for folder, folders, files in os.walk(self.root, onerror=fail):
            here = Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders if self._may_enter(here / name)]
            yield from (here / name for name in files if name[0] != "." and not self._is_excluded(here / name))

    def _may_enter(self, folder: Path) -> bool:
        ignored = folder.name.startswith(".") or folder.name in _IGNORED_FOLDERS
        artifacts = self.artifacts_dir is not None and self.root / folder == Path(os.path.normpath(self.artifacts_dir))
        virtual = os.path.lexists(self.root / folder / "pyvenv.cfg")
        return not (ignored or artifacts or virtual or self._is_excluded(folder))

    def _is_excluded(self, path: Path) -> bool:
        """Whether `exclude` names the file or folder, or a folder on the way to it."""
        patterns = [_pattern_parts(pattern) for pattern in self.image.exclude]
        return any(
            _matches(path.parts[:depth], pattern) for depth in range(1, len(path.parts) + 1) for pattern in patterns
        )

    def _require_shippable(self, path: Path) -> None:
        file = self.root / path
        if not file.exists():
            raise ProjectError("a link leads to nothing", got=f"`{file.readlink()}`", where=file)
        if not file.is_file():
            raise ProjectError("neither a file nor a link to one", where=file)
        if not file.resolve().is_relative_to(self.root):
            raise ProjectError(f"`{path}` leads out of the project folder", where=self.root / FILE_NAME)
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise ProjectError("a file name is not UTF-8", got=ascii(str(path)), where=self.root) from None


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
            hint=f"printf '[model]\\npredictor = \"predictor:MyModel\"\\n' > {shlex.quote(str(folder / FILE_NAME))}",
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
    _require_settings(project)
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


def _require_settings(project: Project) -> None:
    """What msgspec cannot say of single values."""
    where = project.root / FILE_NAME
    for text in project.serving.content_types or ():
        parsed = media_type.parse(text)
        if parsed is None or "*" in parsed.essence or "," in text:
            raise ProjectError(
                "`serving.content_types` has something else than a media type",
                got=f"`{text}`",
                want="type/subtype, as in `text/csv`",
                where=where,
            )
    for field, patterns in (("include", project.image.include), ("exclude", project.image.exclude)):
        for pattern in patterns:
            parts = _pattern_parts(pattern)
            if not parts or pattern.startswith("/") or ".." in parts or any("**" in p and p != "**" for p in parts):
                raise ProjectError(
                    f"`image.{field}` has something else than a pattern of paths in the project",
                    got=f"`{pattern}`",
                    want="a relative path; `*` stands for a part of a name, `**` between slashes for any folders",
                    where=where,
                )
    for name, value in project.image.environment.items():
        if name in set(Variable):
            raise ProjectError("`image.environment` sets what the other tables decide", got=f"`{name}`", where=where)
        if name == "PATH":
            raise ProjectError(
                "`image.environment` sets `PATH`, which has to name the server's folder first",
                where=where,
                hint="leave it out: the base image's PATH is kept; set another one in a base image of your own",
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ProjectError(
                "`image.environment` has a name that no variable can have",
                got=f"{name!r}",
                want="letters, digits and `_`, no digit first",
                where=where,
            )
        if re.search(r"[\0\r\n]", value):
            raise ProjectError(
                "`image.environment` has a value of several lines, or with NUL", got=f"`{name}`", where=where
            )


def _pattern_parts(pattern: str) -> tuple[str, ...]:
    return tuple(part for part in pattern.split("/") if part not in ("", "."))


def _is_module(path: Path, module: PurePosixPath) -> bool:
    """Whether importing the module reads this file."""
    name = path.with_name(path.name.partition(".")[0])
    return path.suffix in (".py", ".pyc", ".so") and name in (Path(module), Path(module, "__init__"))


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern; the same on every Python, unlike `Path.glob`."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


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
