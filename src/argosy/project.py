"""argosy.toml, read once into frozen values; nothing else reads the file."""

import difflib
import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec

from argosy import media_type, model_table
from argosy.contract import LABEL_BIDIRECTIONAL, LABEL_MULTI_MODEL, PATH_SEPARATOR, Variable
from argosy.errors import ProjectError
from argosy.marketplace.table import Marketplace
from argosy.model_files import detection
from argosy.model_files.saved_model import SavedModel
from argosy.program_files import Choice, holds_module, require_patterns
from argosy.project_file import (
    ALL_MODULES,
    FILE_NAME,
    FLAVORS,
    TABLES,
    CheckTable,
    ImageTable,
    Model,
    ProjectFile,
    Serving,
    Waiver,
    WaiverFile,
)
from argosy.toml_text import line_of

_File = TypeVar("_File", bound=msgspec.Struct)


class Project(msgspec.Struct, frozen=True):
    """A project folder and what its argosy.toml says.

    Attributes:
        root: The folder, absolute.
        model: What is served.
        serving: How the server behaves.
        image: What the image is made of.
        check: How it is judged.
        marketplace: What is sold on AWS Marketplace; None: nothing.
        detected: The saved model whose flavor was found out and is not in the file; None when the file says it all.
    """

    root: Path
    model: Model
    serving: Serving
    image: ImageTable
    check: CheckTable = CheckTable()
    marketplace: Marketplace | None = None
    detected: SavedModel | None = None

    @property
    def artifacts_dir(self) -> Path | None:
        """The folder of the model's files, absolute, or None."""
        return None if self.model.artifacts is None else self.root / self.model.artifacts

    def saved_model(self) -> SavedModel | None:
        """What the flavor serves, as its files describe it; None without a flavor, and where they tell nothing.

        Raises:
            ProjectError: The artifacts hold several saved models of the flavor, or one is damaged.
        """
        if self.model.flavor is None or self.artifacts_dir is None:
            return None
        return self.detected or detection.find(self.artifacts_dir, self.model.flavor, self.model.file)

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
                cannot be read, a name is not UTF-8, or a module that the server imports is not among them.
        """
        where = self.root / FILE_NAME
        named = [("serving.warm_up", name) for name in self.serving.warm_up]
        if self.model.inference is not None:
            named.append(("model.inference", self.model.inference))
        choice = Choice(self.root, self.image.include, self.image.exclude, self.artifacts_dir, where)
        has_module = self.model.inference is None and self.model.flavor is None
        chosen = choice.files(named, frozenset() if has_module and not named else frozenset(ALL_MODULES))
        for field, module in self.imported_modules():
            if not holds_module(chosen, module):
                raise ProjectError(
                    f"no file of the project for `{field}` enters the image",
                    got=f"include = {list(self.image.include)}, exclude = {list(self.image.exclude)}",
                    want=f"`{module}.py` or `{module}/__init__.py` among them",
                    where=where,
                )
        return chosen

    def server_environment(self) -> dict[str, str]:
        """The variables that tell the server in the image what this project says; paths are the caller's to add."""
        serving, flavor = self.serving, self.model.flavor
        chosen: dict[str, str | int | None] = {
            Variable.PREDICTOR: self.model.predictor if flavor is None else FLAVORS[flavor],
            Variable.FLAVOR_OPTIONS: self._flavor_options(),
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

    def imported_modules(self) -> Iterator[tuple[str, PurePosixPath]]:
        """The modules of the project that the server imports, as paths without suffix, with the fields that say so."""
        for field, named in (
            ("model.predictor", self.model.predictor),
            ("model.options.class", self.model.options.class_),
        ):
            if named is not None:
                yield field, PurePosixPath(*named.partition(":")[0].split("."))

    def _flavor_options(self) -> str | None:
        """What the flavor is told, as JSON; None when nothing is."""
        said = msgspec.to_builtins(self.model.options)
        chosen = {name: value for name, value in said.items() if value not in (None, (), {})}
        if self.model.file is not None:
            chosen["file"] = Path(os.path.normpath(self.model.file)).as_posix()
        elif (found := self._found()) is not None:
            chosen["found"] = found
        return json.dumps(chosen, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if chosen else None

    def _found(self) -> str | None:
        """Where in the artifacts the saved model is that no `file` names: a path, and no word that its code may run.

        None where the server has to look for itself: what is wrong with the artifacts, it tells.
        """
        try:
            model = self.saved_model()
        except ProjectError:
            return None
        if model is None or model.is_pickle or self.artifacts_dir is None or model.path == self.artifacts_dir:
            return None
        return model.path.relative_to(self.artifacts_dir).as_posix()

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
    parsed = _parsed(text, ProjectFile, path)
    model, detected = model_table.detected(root, parsed.model)
    project = Project(root, model, parsed.serving, parsed.image, parsed.check, parsed.marketplace, detected)
    _require_files(project)
    _require_settings(project)
    return project


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a file that has nothing but `[[check.waivers]]`, as argosy.toml may have.

    Raises:
        ProjectError: It cannot be read, is not TOML, or has an unknown, missing or wrong field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError("cannot be read", got=error, where=path) from error
    return _parsed(text, WaiverFile, path).check.waivers


def schema() -> dict[str, Any]:
    """The JSON schema of argosy.toml, as docs/reference publishes it."""
    return msgspec.json.schema(ProjectFile)


def _parsed(text: str, kind: type[_File], path: Path) -> _File:
    """The text of a TOML file as what it has to be."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError("not a TOML file", got=error, where=path) from error
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise _explained(error, path, text, kind) from error


def _require_files(project: Project) -> None:
    where = project.root / FILE_NAME
    model_table.require_one(project.root, project.model)
    for name, module in project.imported_modules():
        top = module.parts[0]
        if not (project.root / f"{top}.py").is_file() and not (project.root / top).is_dir():
            raise ProjectError(
                f"`{name}` names a module that is not in the project",
                got=f"`{'.'.join(module.parts)}`",
                want=f"`{top}.py` or a folder `{top}/` beside {FILE_NAME}",
                where=where,
            )
    for field, path, kind in _named_paths(project):
        if field != "image.dependencies" and not path.resolve().is_relative_to(project.root):
            raise ProjectError(f"`{field}` leads out of the project folder", got=f"`{path}`", where=where)
        if not (path.exists() if kind == "file or folder" else path.is_dir() if kind == "folder" else path.is_file()):
            raise ProjectError(f"`{field}` names a {kind} that is not there", got=f"`{path}`", where=where)
    _require_script(project)
    model_table.require_file(project.root, project.model)


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


def _explained(error: msgspec.ValidationError, path: Path, text: str, kind: type[msgspec.Struct]) -> ProjectError:
    """msgspec's sentence, with the line of the field and a guess at a misspelt name; `kind` is the whole file's."""
    sentence, _, place = str(error).partition(" - at `$")
    keys = [key for key in place.rstrip("`").split(".") if key]
    hint = None
    unknown = re.search(r"unknown field `([^`]+)`", sentence)
    if unknown:
        table = TABLES.get(re.sub(r"\[[^\]]*\]", "", ".".join(keys)), kind)
        names = [field.encode_name for field in msgspec.structs.fields(table)]
        near = difflib.get_close_matches(unknown.group(1), names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}"
        keys = [*keys, unknown.group(1)]
    line = line_of(keys, text)
    where = f"{path}:{line}" if line else str(path)
    field = ".".join(keys) or "the file"
    return ProjectError(f"`{field}`: {sentence[:1].lower()}{sentence[1:]}", where=where, hint=hint)
