"""`argosy init`: what a saved model is, and a project that serves it."""

import importlib.util
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from argosy.cli import output
from argosy.cli.building import new_project
from argosy.cli.building.new_project import NewProject
from argosy.model_files.saved_model import ArrayInput, ColumnInput, SavedModel
from argosy.project_file import FILE_NAME

_MODULES: Final = {"onnx": "onnxruntime", "litert": "ai_edge_litert", "huggingface": "transformers"}
"""What a flavor imports, where that is not its own name."""
_MOST_SHOWN: Final = 8


@click.command
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default=".")
def command(model: Path, folder: Path) -> None:
    """Look at MODEL, a saved model's file or folder, and write a project that serves it into PROJECT.

    A model that lies in a folder of the project stays where it is, any other is copied to PROJECT/model. Nothing that
    is there is overwritten, and nothing of the model is run. Prints the path of the new argosy.toml.
    """
    root = folder.resolve()
    new = new_project.planned(model, root)
    for line in _described(new.model):
        output.say("".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line))
    for name in new_project.write(new):
        output.say(f"wrote {folder / name}")
    if new.sample.body is None:
        output.say(f"no sample input: {new.sample.reason}")
    else:
        advice = "" if new.sample.is_real else ": put real rows there, and name the file in [serving] warm_up"
        output.say(f"{new_project.SAMPLE}: {new.sample.reason}{advice}")
    output.say(f"\nnext: {_next(new, folder)}")
    output.print_data(str(folder / FILE_NAME))


def _described(model: SavedModel) -> Iterator[str]:
    saved = ", ".join(f"{name} {version}" for name, version in model.versions.items())
    yield f"{model.path}: {model.format}, flavor {model.flavor}{f', saved with {saved}' if saved else ''}"
    columns = [one.name for one in model.inputs if isinstance(one, ColumnInput)]
    if columns:
        named = ", ".join(columns[:_MOST_SHOWN]) + (", ..." if len(columns) > _MOST_SHOWN else "")
        yield f"  takes {len(columns)} columns{f': {named}' if any(columns) else ''}"
    for one in model.inputs:
        if isinstance(one, ArrayInput):
            yield f"  takes {one.name} {one.dtype or 'of an unknown type'} {_shape(one.shape)}".rstrip()
    if model.outputs:
        yield f"  gives {', '.join(model.outputs)}"
    yield from (f"  {note}" for note in model.notes)


def _shape(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('any' if length is None else str(length) for length in shape)})" if shape else ""


def _next(new: NewProject, folder: Path) -> str:
    """The command that comes next: serving where the framework is here, else building, which needs none."""
    place = "" if folder == Path() else f" {shlex.quote(str(folder))}"
    if new.needs_class:
        return f"name the class of the module in {FILE_NAME}, then: argosy build{place}"
    modules = [_MODULES.get(new.model.flavor, new.model.flavor), *(("skops",) if "skops" in new.model.versions else ())]
    is_here = all(importlib.util.find_spec(module) for module in modules)
    return f"argosy {'serve' if is_here else 'build'}{place}"
