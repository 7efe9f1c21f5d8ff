"""Recipes -> layers: each from the cache, or made now, several at a time, and told in their order.

Compressing is most of the work and keeps no other thread waiting, so layers that depend on nothing but their own inputs
are made side by side; each streams, so memory stays flat whatever their number and size.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

from argosy.errors import ArchiveError
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.layer import Layer, LayerCache, Member, ordered, write_layer
from argosy.image.layers import bytecode
from argosy.image.layers.bytecode import Compiler
from argosy.image.manifest import NamedLayer
from argosy.image.observation import Observer

MakeMembers = Callable[[ExitStack, list[str]], Sequence[Member]]
"""What stays open while they are read, and notes to be filled -> what is in a layer."""

Check = Callable[[str, str | None, Callable[[], Sequence[Member]]], None]
"""Name of a layer, its key in the cache, what is in it -> raises when something may not be there."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A layer that may have to be made.

    Attributes:
        name: In the image's history.
        key: In the cache; None when it is not to be remembered.
        content: What is in it, in words.
        members: The same, to be read.
        wheels: Those that `members` reads, which have to be there by then.
        compiler: Makes bytecode of its modules; None makes none.
        size: Bytes that are packed, as far as they are known: the most work is begun first.
        is_unchanged: Whether the files of the project that are in it are what they were when the recipe was written.
    """

    name: str
    key: str | None
    content: str
    members: MakeMembers
    wheels: tuple[WheelFile, ...] = ()
    compiler: Compiler | None = None
    size: int = 0
    is_unchanged: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Examination:
    """Who looks at the layers.

    Attributes:
        check: Refuses what may not be in a layer, before it is written; asked for a layer of the cache, too.
        observers: For a layer that is made, those who see its members on their way into it.
    """

    check: Check
    observers: Callable[[Recipe], Sequence[Observer]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One of our layers: its name, bytes as stored, whether the cache had it, and what is in it."""

    name: str
    size: int
    cached: bool
    content: str


def make_layers(
    recipes: Sequence[Recipe],
    cache: LayerCache,
    fetch: Callable[[Sequence[WheelFile]], None],
    examination: Examination,
    report: Callable[[LayerReport], None],
    say: Callable[[str], None],
) -> list[NamedLayer]:
    """The layers of recipes, in their order; the cache remembers them.

    Args:
        recipes: Lowest layer first.
        cache: Has what was made before, and takes what is made now.
        fetch: Gets wheels that are not there yet, all at once.
        examination: Who looks at them.
        report: Told about each layer.
        say: Told the notes of each layer, whenever it was made.

    Raises:
        ImageError: A file cannot become part of a layer.
        ArchiveError: A file of the project changed while it was read.
        SecretFoundError: What the examination finds.
    """
    found = [None if recipe.key is None else cache.get(recipe.key) for recipe in recipes]
    missing = [recipe for recipe, layer in zip(recipes, found, strict=True) if layer is None]
    fetch(list(dict.fromkeys(wheel for recipe in missing for wheel in recipe.wheels)))
    given_up = threading.Event()
    made: list[NamedLayer] = []
    with ThreadPoolExecutor(max(1, min(len(missing), os.cpu_count() or 1)), "layer") as pool:
        futures = {
            id(recipe): pool.submit(_made, recipe, cache, examination, given_up.is_set)
            for recipe in sorted(missing, key=lambda recipe: -recipe.size)
        }
        try:
            for recipe, layer in zip(recipes, found, strict=True):
                if layer is not None:
                    _check_again(recipe, fetch, examination.check)
                made.append(_told(recipe, layer, futures.get(id(recipe)), report, say))
        except BaseException:
            given_up.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return made


def _told(
    recipe: Recipe,
    layer: Layer | None,
    future: "Future[Layer] | None",
    report: Callable[[LayerReport], None],
    say: Callable[[str], None],
) -> NamedLayer:
    cached = layer is not None
    if layer is None:
        assert future is not None  # what the cache has not is being made
        layer = future.result()
    for note in layer.notes:
        say(note)
    report(LayerReport(recipe.name, layer.size, cached, recipe.content))
    return NamedLayer(recipe.name, layer)


def _check_again(recipe: Recipe, fetch: Callable[[Sequence[WheelFile]], None], check: Check) -> None:
    """Have a layer of the cache checked: what is allowed may have changed, and what is looked for."""

    def members() -> Sequence[Member]:
        fetch(recipe.wheels)
        return recipe.members(opened, [])

    with ExitStack() as opened:
        check(recipe.name, recipe.key, members)


def _made(recipe: Recipe, cache: LayerCache, examination: Examination, is_given_up: Callable[[], bool]) -> Layer:
    notes: list[str] = []
    with ExitStack() as opened:
        members = recipe.members(opened, notes)
        examination.check(recipe.name, recipe.key, lambda: members)
        if recipe.compiler is not None:
            members = opened.enter_context(bytecode.compiled(members, recipe.compiler))
        written = write_layer(ordered(members), cache.store, is_given_up, examination.observers(recipe))
        layer = replace(written, notes=tuple(notes))
    if not recipe.is_unchanged():  # it would be remembered as what it is not
        raise ArchiveError(f"the files of layer `{recipe.name}` changed while they were read", hint="run it again")
    if recipe.key is not None:
        cache.put(recipe.key, layer)
    return layer
