"""argosy.toml, read once into frozen values; nothing else reads the file."""

import difflib
import os
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal

import msgspec

from argosy import media_type
from argosy.contract import LABEL_BIDIRECTIONAL, LABEL_MULTI_MODEL, PATH_SEPARATOR, Variable
from argosy.errors import ProjectError
from argosy.program_files import Choice, holds_module, require_patterns
from argosy.toml_text import line_of

FILE_NAME: Final = "argosy.toml"
_ALL_MODULES: Final = ("**/*.py",)

PredictorPath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
PythonVersion = Annotated[str, msgspec.Meta(pattern=r"^3\.\d{1,2}$")]
DependencyPath = Annotated[str, msgspec.Meta(pattern=r"^[^\[\]]+(\[[\w., -]+\])?$")]
DebianPackage = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9+.-]+(=([0-9]+:)?[0-9][A-Za-z0-9.+~-]*)?$")]
"""Source: Debian Policy Manual 5.6.7 and 5.6.12, `Package` and `Version` (read 2026-11-22)."""
Namespace = Annotated[str, msgspec.Meta(pattern=r"^[^:\x00-\x1f][^\x00-\x1f]{0,254}$")]
"""Source: PutMetricData, `Namespace`: 1 to 255 characters, no colon first (read 2026-11-22)."""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[model]` table: what is served, by a predictor or by an inference script.

    Attributes:
        predictor: `module:Class`, imported from the project folder; this or `inference`.
        artifacts: Folder of the model's files, relative to the project; None when there are none.
        bake: Whether `argosy build` puts the artifacts into the image; `argosy pack` makes model.tar.gz either way.
        inference: A script with SageMaker's `model_fn` and the like, relative to the project, also one in the artifacts
            (`model/code/inference.py`); this or `predictor`.
    """

    predictor: PredictorPath | None = None
    artifacts: str | None = None
    bake: bool = True
    inference: str | None = None


class Batching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[serving.batching]` table: how invocations that come at the same time become one call of `predict`.

    Attributes:
        max_batch_size: The most rows in one call out of several invocations; 1 gives each invocation its own. By
            default 64, or four times as many as one invocation has, when invocations are that large themselves.
        max_delay_ms: Milliseconds that an invocation may wait for others; 0 batches only what waits anyway.
    """

    max_batch_size: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    max_delay_ms: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 0.0


class Serving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[serving]` table: how the server in the image behaves.

    Attributes:
        content_types: Media types that are taken and given; the first stands in for a missing Content-Type. None means
            what the annotation of `predict` can take: JSON and CSV for arrays and lists, anything for `bytes`.
        workers: Model processes; 0 means as many as memory and processors allow.
        queue: Invocations that may wait for a model process; one more is answered with 503.
        max_body_mb: Largest request body, in MB; larger ones are answered with 413.
        deadline_s: Seconds after which an unanswered invocation is answered with 503, below SageMaker's own 60;
            None means 55, and 3590 in a transform job, which waits up to an hour.
        stream_deadline_s: Seconds from its invocation after which a streamed answer is ended; SageMaker's own are 480.
        concurrency: The most calls of an `async def predict`, or streams, at a time in one model process.
        batching: The table `[serving.batching]`.
        warm_up: Files with sample inputs, relative to the project; each model process predicts them before `/ping` says
            200. They enter the image; what is in them is told by the suffix, as in `one.json` or `rows.csv`.
        sessions: Whether clients may open stateful sessions.
        session_ttl_s: Seconds that an unused session lives.
        log_invocations: Which invocations have a line in the log, never with a body: `errors`, `all` or `none`.
        log_exceptions: How much of what an exception of the predictor's says is in the log, beside its type and places:
            `short` (200 characters), `whole` or `none`.
        emf_namespace: CloudWatch namespace of the metrics in the log (embedded metric format); None writes none.
        bidirectional: Whether the image says, by its label, that it speaks the bidirectional WebSocket.
        multi_model: Whether the image says, by its label, that it can serve a multi-model endpoint.
    """

    content_types: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    workers: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    queue: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1024
    max_body_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 100
    deadline_s: Annotated[float, msgspec.Meta(ge=0.001, le=3600)] | None = None
    stream_deadline_s: Annotated[float, msgspec.Meta(ge=0.001, le=3600)] = 480.0
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    batching: Batching = Batching()
    warm_up: tuple[str, ...] = ()
    sessions: bool = False
    session_ttl_s: Annotated[int, msgspec.Meta(ge=1, le=604_800)] = 1200
    log_invocations: Literal["errors", "all", "none"] = "errors"
    log_exceptions: Literal["short", "whole", "none"] = "short"
    emf_namespace: Namespace | None = None
    bidirectional: bool = False
    multi_model: bool = False


class ImageTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[image]` table: what the image is made of.

    Attributes:
        base: `debian`, or an image reference as skopeo names it.
        python: `3.x` of the base; None means whatever the base has.
        dependencies: What the predictor needs, one or a list, relative to the project: a requirements file,
            `pyproject.toml`, `uv.lock`, a `pylock.toml`, a wheel or a folder of wheels, the folder of a package; extras
            and dependency groups in brackets, as in `pyproject.toml[gpu]`. None when it needs nothing.
        include: Patterns of the files that enter the image beside the artifacts; each has to match something. A pattern
            with `*`, `?` or `[` never matches the artifacts, what is hidden, what lies in a folder `__pycache__`,
            `build`, `dist`, `node_modules`, `tests`, `venv` or another virtual environment, or behind a link to a
            folder; a whole path names any file.
        exclude: Patterns of the files and folders that do not enter it.
        environment: Variables set in the image, beside `PATH`.
        system_packages: Debian packages that are added to the base image with all that they need, as `libgomp1` or
            `libgomp1=12.2.0-14`.
        ignore_missing_libraries: Libraries that the image may lack although a program names them, as `libtbb.so.12`;
            patterns may have `*`.
        prune: Whether tests, caches, manuals and, without a C compiler in the base, headers and sources of compiled
            code are left out of what is installed.
        unpruned: Distributions of which nothing is left out.
        bytecode: Whether modules enter the image compiled, too: larger, built slower, and the first start is faster. It
            takes the image's Python version on the machine that builds.
    """

    base: str = "debian"
    python: PythonVersion | None = None
    dependencies: DependencyPath | tuple[DependencyPath, ...] | None = None
    include: tuple[str, ...] = _ALL_MODULES
    exclude: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    system_packages: tuple[DebianPackage, ...] = ()
    ignore_missing_libraries: tuple[str, ...] = ()
    prune: bool = True
    unpruned: tuple[str, ...] = ()
    bytecode: bool = False


class ProjectFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of argosy.toml; only `[model]` is required."""

    model: Model
    serving: Serving = Serving()
    image: ImageTable = ImageTable()


TABLES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "model": Model,
    "serving": Serving,
    "serving.batching": Batching,
    "image": ImageTable,
}
"""The heading of each table and what it may hold."""


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
    def dependencies(self) -> list[tuple[Path, list[str]]]:
        """The entries of `image.dependencies`: absolute paths, with the names in brackets."""
        named = self.image.dependencies or ()
        entries = [entry.partition("[") for entry in ((named,) if isinstance(named, str) else named)]
        return [(Path(os.path.normpath(self.root / e[0])), re.findall(r"[\w.-]+", e[2])) for e in entries]

    def program_files(self) -> list[Path]:
        """What `include` names and `exclude` does not, the inference script and the samples; sorted, relative.

        Hidden files, caches, virtual environments, tests, builds and the artifacts are among them only when a pattern
        without wildcards names the file.

        Raises:
            ProjectError: A pattern matches nothing, a link leads to nothing or out of the project folder, a folder
                cannot be read, a name is not UTF-8, or the predictor's module is not among them.
        """
        where = self.root / FILE_NAME
        named = [("serving.warm_up", name) for name in self.serving.warm_up]
        if self.model.inference is not None:
            named.append(("model.inference", self.model.inference))
        choice = Choice(self.root, self.image.include, self.image.exclude, self.artifacts_dir, where)
        chosen = choice.files(named, frozenset(_ALL_MODULES) if named else frozenset())
        if self.model.predictor is not None:
            module = PurePosixPath(*self.model.predictor.partition(":")[0].split("."))
            if not holds_module(chosen, module):
                raise ProjectError(
                    "no file of the project for the predictor enters the image",
                    got=f"include = {list(self.image.include)}, exclude = {list(self.image.exclude)}",
                    want=f"`{module}.py` or `{module}/__init__.py` among them",
                    where=where,
                )
        return chosen

    def server_environment(self) -> dict[str, str]:
        """The variables that tell the server in the image what this project says; paths are the caller's to add."""
        serving = self.serving
        chosen: dict[str, str | int | None] = {
            Variable.PREDICTOR: self.model.predictor,
            Variable.INFERENCE_SCRIPT: self._script(),
            Variable.WORKERS: serving.workers,
            Variable.QUEUE: serving.queue,
            Variable.MAX_BODY_MB: serving.max_body_mb,
            Variable.CONTENT_TYPES: ",".join(serving.content_types or ()) or None,
            Variable.DEADLINE_S: None if serving.deadline_s is None else f"{serving.deadline_s:g}",
            Variable.STREAM_DEADLINE_S: f"{serving.stream_deadline_s:g}",
            Variable.CONCURRENCY: serving.concurrency,
            Variable.MAX_BATCH_SIZE: serving.batching.max_batch_size,
            Variable.MAX_DELAY_MS: f"{serving.batching.max_delay_ms:g}",
            Variable.WARM_UP: PATH_SEPARATOR.join(serving.warm_up) or None,
            Variable.SESSION_TTL_S: serving.session_ttl_s if serving.sessions else None,
            Variable.LOG_INVOCATIONS: serving.log_invocations,
            Variable.LOG_EXCEPTIONS: serving.log_exceptions,
            Variable.EMF_NAMESPACE: serving.emf_namespace,
        }
        return {name: str(value) for name, value in chosen.items() if value is not None}

    def labels(self) -> dict[str, str]:
        """The image labels by which SageMaker learns what this project's server can do."""
        can = {LABEL_BIDIRECTIONAL: self.serving.bidirectional, LABEL_MULTI_MODEL: self.serving.multi_model}
        return {name: "true" for name, is_able in can.items() if is_able}

    def _script(self) -> str | None:
        """The inference script as the server looks for it: relative to the program, or to the artifacts."""
        if self.model.inference is None:
            return None
        path = Path(os.path.normpath(self.root / self.model.inference))
        folder = Path(os.path.normpath(self.artifacts_dir or self.root))
        return path.relative_to(folder if path.is_relative_to(folder) else self.root).as_posix()


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
    if (project.model.predictor is None) == (project.model.inference is None):
        raise ProjectError(
            "`model` has to name one of `predictor` and `inference`",
            got="neither" if project.model.predictor is None else "both",
            where=where,
        )
    if project.model.predictor is not None:
        module = project.model.predictor.partition(":")[0].partition(".")[0]
        if not (project.root / f"{module}.py").is_file() and not (project.root / module).is_dir():
            raise ProjectError(
                "`model.predictor` names a module that is not in the project",
                got=f"`{project.model.predictor}`",
                want=f"`{module}.py` or a folder `{module}/` beside {FILE_NAME}",
                where=where,
            )
    for field, path, kind in _named_paths(project):
        if field != "image.dependencies" and not path.resolve().is_relative_to(project.root):
            raise ProjectError(f"`{field}` leads out of the project folder", got=f"`{path}`", where=where)
        if not (path.exists() if kind == "file or folder" else path.is_dir() if kind == "folder" else path.is_file()):
            raise ProjectError(f"`{field}` names a {kind} that is not there", got=f"`{path}`", where=where)
    _require_script(project)


def _named_paths(project: Project) -> Iterator[tuple[str, Path, str]]:
    """Every path that the tables name, absolute, with its field and what has to be there."""
    if project.artifacts_dir is not None:
        yield "model.artifacts", project.artifacts_dir, "folder"
    for path, _ in project.dependencies:
        yield "image.dependencies", path, "file or folder"
    if project.model.inference is not None:
        yield "model.inference", project.root / project.model.inference, "file"
    for name in project.serving.warm_up:
        yield "serving.warm_up", project.root / name, "file"


def _require_script(project: Project) -> None:
    script = project.model.inference
    if script is None:
        return
    where = project.root / FILE_NAME
    if not re.fullmatch(r"[A-Za-z_]\w*\.py", Path(script).name):
        raise ProjectError(
            "`model.inference` cannot be imported", got=f"`{script}`", want="a name as in `inference.py`", where=where
        )
    told = project.root / (project.server_environment()[Variable.INFERENCE_SCRIPT])
    if told.is_file() and told != Path(os.path.normpath(project.root / script)):
        raise ProjectError(
            "`model.inference` names a script of the artifacts, and the program has one of the same path",
            got=f"`{script}` and `{told.relative_to(project.root)}`",
            where=where,
            hint="rename one of them",
        )


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
    for name in project.serving.warm_up:
        if Path(name).is_absolute() or PATH_SEPARATOR in name or not name.isprintable():
            raise ProjectError(
                "`serving.warm_up` has something else than a path in the project",
                got=f"{name!r}",
                want=f"a relative path without `{PATH_SEPARATOR}`",
                where=where,
            )
    require_patterns("image.include", project.image.include, where)
    require_patterns("image.exclude", project.image.exclude, where)
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
    line = line_of(keys, text)
    where = f"{path}:{line}" if line else str(path)
    field = ".".join(keys) or "the file"
    return ProjectError(f"`{field}`: {sentence[:1].lower()}{sentence[1:]}", where=where, hint=hint)


def _field_names(keys: list[str]) -> list[str]:
    struct = TABLES.get(".".join(keys), ProjectFile)
    return [field.name for field in msgspec.structs.fields(struct)]
