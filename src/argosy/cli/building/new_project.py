"""A saved model -> a project folder that serves it: what is copied, what is written, nothing that was there."""

import json
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy.errors import UsageError
from argosy.model_archive import written_aside
from argosy.model_files import detection
from argosy.model_files.sample import Sample, sample_of
from argosy.model_files.saved_model import SavedModel
from argosy.project_file import FILE_NAME, FLAVORS

ARTIFACTS: Final = "model"
SAMPLE: Final = "samples/rows.json"
_WORD_BY_NAME: Final = ("keras", "torch")
"""Flavors whose files may hold code beside the model, which runs where `model.file` names them."""
_NEEDS_CLASS: Final = ("state_dict", "safetensors")


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a project will be.

    Attributes:
        root: Its folder.
        model: The saved model, where it is now.
        artifacts: The folder of artifacts, relative to `root`.
        copies: What is copied into it: where to, relative to `root`, and where from.
        file: What `model.file` has to name; None when it is plain.
        sample: The sample request.
    """

    root: Path
    model: SavedModel
    artifacts: str
    copies: tuple[tuple[str, Path], ...]
    file: str | None
    sample: Sample

    @property
    def needs_class(self) -> bool:
        """Whether the model is weights alone, which need the class of their module."""
        return self.model.flavor == "torch" and any(word in self.model.format for word in _NEEDS_CLASS)


def planned(place: Path, root: Path) -> NewProject:
    """What `argosy init` makes of a file or folder.

    A model in a folder of the project is served from there; one from elsewhere is copied.

    Args:
        place: The file or folder with the saved model.
        root: The project's folder.

    Raises:
        UsageError: There is no saved model that is known, or something is in the way.
    """
    if not place.exists():
        raise UsageError("there is no such file or folder", got=f"`{place}`")
    if (root / FILE_NAME).exists():
        raise UsageError("the project is there already", where=root / FILE_NAME, hint="edit it, or name another folder")
    around, name = (place, None) if place.is_dir() else (place.parent, place.name)
    found = detection.candidates(around, None, name)
    if len(found) > 1:
        named = [f"argosy init {shlex.quote(str(one.path))}" for one in found[: detection.MOST_NAMED]]
        raise UsageError(
            "the folder holds several saved models",
            got=detection.listed(found, around),
            where=place,
            hint="name one:\n  " + "\n  ".join(named),
        )
    model = found[0] if found else None
    if model is None:
        raise UsageError(
            "no saved model is known here",
            got=f"`{place}`",
            want=f"a model of {', '.join(FLAVORS)}",
            hint="serve anything else by a class of your own: docs/how-to/predictor.md",
        )
    if model.is_pickle and place.is_dir():
        raise UsageError(
            "the saved model holds a pickle, and loading one may run any code",
            got=f"`{model.path}` ({model.format})",
            hint=f"if you trust whoever made it, name the file itself: argosy init {shlex.quote(str(model.named))}",
        )
    source = model.path if model.path.is_dir() else model.path.parent
    inside = source.resolve()
    is_inside = inside != root and inside.is_relative_to(root)
    artifacts = inside.relative_to(root).as_posix() if is_inside else ARTIFACTS
    copies = () if is_inside else _copies(model)
    for target in (*(name for name, _ in copies), SAMPLE):
        if os.path.lexists(root / target) and (copies or target != SAMPLE):
            raise UsageError("what would be written is there already", got=f"`{target}`", where=root)
    file = (model.word or model.path.name) if model.is_pickle else None
    if file is None and is_inside and len(detection.candidates(source, model.flavor)) > 1:
        _require_harmless(model)
        file = model.path.name
    return NewProject(root, model, artifacts, copies, file, sample_of(model))


def write(new: NewProject) -> list[str]:
    """Write a project, the copies first and argosy.toml last, each whole or not at all.

    Returns:
        What was written, relative to the project's folder.
    """
    written = []
    for name, source in new.copies:
        with written_aside(new.root / name) as aside:
            if source.is_dir():
                shutil.copytree(source, aside)
            else:
                shutil.copyfile(source, aside)
        written.append(name)
    if new.sample.body is not None and not (new.root / SAMPLE).exists():
        with written_aside(new.root / SAMPLE) as aside:
            aside.write_bytes(new.sample.body)
        written.append(SAMPLE)
    with written_aside(new.root / FILE_NAME) as aside:
        aside.write_text(text(new), encoding="utf-8")
    return [*written, FILE_NAME]


def text(new: NewProject) -> str:
    """The argosy.toml of a new project."""
    lines = ["[model]", f'flavor = "{new.model.flavor}"', f"artifacts = {_quoted(f'{new.artifacts}/')}"]
    if new.file is not None:
        why = " # a pickle: naming it is your word that its code may run" if new.model.is_pickle else ""
        lines.append(f"file = {_quoted(new.file)}{why}")
    options = []
    if new.model.trusted:
        options.append(f"trusted = {_quoted(list(new.model.trusted))} # crafted ones can crash: trust what you saved")
    if new.needs_class:
        options.append('# class = "net:Net" # the module whose weights these are, in net.py beside this file')
    if options:
        lines += ["", "[model.options]", *options]
    if new.sample.is_real:
        lines += ["", "[serving]", f"warm_up = [{_quoted(SAMPLE)}]"]
    return "\n".join([*lines, ""])


def _copies(model: SavedModel) -> tuple[tuple[str, Path], ...]:
    if model.path.is_dir():
        for path in model.path.rglob("*"):
            if path.is_symlink() and not path.resolve().is_relative_to(model.path.resolve()):
                raise UsageError(
                    "a link in the folder of the model leads out of it",
                    where=path,
                    hint=f"copy what it means first: cp --recursive --dereference {shlex.quote(str(model.path))} model",
                )
        return ((ARTIFACTS, model.path),)
    files = (model.path, *model.beside)
    return tuple((f"{ARTIFACTS}/{file.relative_to(model.path.parent).as_posix()}", file) for file in files)


def _require_harmless(model: SavedModel) -> None:
    """Refuse to name a file only to tell it from others, where naming it lets code in it run."""
    if model.flavor in _WORD_BY_NAME:
        apart = model.path.parent / model.path.stem
        raise UsageError(
            "other saved models lie beside this one, and naming one in argosy.toml lets code in it run",
            got=f"`{model.path.name}` ({model.format})",
            where=model.path.parent,
            hint="put it into a folder of its own: "
            f"mkdir {shlex.quote(str(apart))} && mv {shlex.quote(str(model.path))} {shlex.quote(str(apart))}/",
        )


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
