"""An image, or the difference of two, told to people in 80 columns."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from argosy.image.image import DOCKER_MANIFEST
from argosy.image.inspection.diff import Difference, FileChange
from argosy.image.inspection.show import ImageView, LayerView, PackageWeight

WIDTH: Final = 80
FILES_SHOWN: Final = 20
_KINDS: Final = {"python": "Python", "debian": "Debian"}
_FOLDED: Final = 0.02  # what has less than this of the layer is not worth a line
_LABEL: Final = 13


def image_text(view: ImageView) -> str:
    """Everything worth knowing of an image, the biggest first."""
    plural = "" if len(view.layers) == 1 else "s"
    lines = [
        f"manifest {view.digest}",
        f"         {view.media_type}",
        f"config   {view.config_digest}",
        *_faults(view),
        "",
        f"{len(view.layers)} layer{plural}: {_size(view.stored)} stored, {_size(view.unpacked)} unpacked"
        + (f", {_size(view.hidden)} of it seen by no container" if view.hidden else ""),
        "",
        "  #    stored  unpacked   files  made by",
    ]
    for layer in view.layers:
        head = f"{layer.index:>3}{_size(layer.stored):>10}{_size(layer.unpacked):>10}{layer.files:>8,}  "
        lines += [f"{head}{textwrap.shorten(layer.made_by, WIDTH - len(head), placeholder=' …')}".rstrip()]
    for layer in view.layers:
        lines += _biggest(layer)
    lines += ["", "settings", *_settings(view)]
    return _joined(lines)


def difference_text(found: Difference, *, every_file: bool) -> str:
    """What is different, files cut to a few unless every one is asked for."""
    if found.is_empty:
        stored = "" if found.before == found.after else ": they are only stored differently"
        return f"no difference{stored}"
    lines = [
        f"- {found.before}",
        f"+ {found.after}",
        f"layers that are the same, from the lowest: {found.shared_layers}",
    ]
    if found.settings:
        lines += ["", "settings"]
        for setting in found.settings:
            lines += _sides(setting.name, setting.before, setting.after)
    if found.packages:
        lines += ["", "packages"]
        for package in found.packages:
            versions = " -> ".join(version or "none" for version in (package.before, package.after))
            lines.append(
                _cut(f"  {_sign(package.before, package.after)} {_KINDS[package.kind]} {package.name} {versions}")
            )
    if found.files:
        lines += ["", f"files: {_counts(found.files)}"]
        shown = found.files if every_file else found.files[:FILES_SHOWN]
        lines += [_file(change) for change in shown]
        if len(shown) < len(found.files):
            lines.append(f"  … and {len(found.files) - len(shown):,} more: --all shows them")
    return _joined(lines)


def _joined(lines: Iterable[str]) -> str:
    """The lines without control characters: what a stranger's image says must not steer a terminal."""
    return "\n".join("".join(char if char.isprintable() else "?" for char in line) for line in lines)


def _faults(view: ImageView) -> Iterator[str]:
    """Why SageMaker would not take it as it is stored."""
    if view.is_indexed:
        yield "         found through an index; SageMaker takes none: argosy image convert"
    elif view.media_type != DOCKER_MANIFEST:
        yield "         SageMaker takes Docker's schema 2 only: argosy image convert"


def _biggest(layer: LayerView) -> Iterator[str]:
    """What makes a layer large, and what of it is for nothing."""
    found = [(weight.size, _package(weight)) for weight in layer.packages]
    found += [(weight.size, f"/{weight.path}/") for weight in layer.folders]
    found += [(weight.size, f"/{weight.path}") for weight in layer.largest]
    found = [(size, what) for size, what in found if size > _FOLDED * layer.unpacked]
    if found:
        yield ""
        yield f"biggest in layer {layer.index}"
        yield from (_cut(f"{_size(size):>13}  {what}") for size, what in found)
    if layer.hidden:
        yield ""
        yield f"hidden in layer {layer.index}: {_size(layer.hidden)} is pulled, and no container sees it"
        for file in layer.hidden_files:
            fate = "deleted later" if file.replaced_in is None else f"again in layer {file.replaced_in}"
            yield _cut(f"{_size(file.size):>13}  /{file.path}", f"  {fate}")


def _package(weight: PackageWeight) -> str:
    said = ", as dpkg says" if weight.is_declared else ""
    return f"{_KINDS[weight.package.kind]} {weight.package.name} {weight.package.version}{said}"


def _settings(view: ImageView) -> Iterator[str]:
    for name, value in view.settings.items():
        kind, _, rest = name.partition(" ")
        label, text = (kind, f"{rest}={value}") if kind in ("env", "label") else (name, value)
        head = f"  {label:<{_LABEL}}"
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
        ) or [head.rstrip()]


def _sides(name: str, before: str | None, after: str | None) -> Iterator[str]:
    yield f"  {name}"
    for sign, value in (("-", before), ("+", after)):
        if value is not None:
            head = f"    {sign} "
            yield from textwrap.wrap(value, WIDTH, initial_indent=head, subsequent_indent="      ") or [head.rstrip()]


def _counts(files: Iterable[FileChange]) -> str:
    counts = {"+": 0, "-": 0, "~": 0}
    for change in files:
        counts[_sign(change.before, change.after)] += 1
    return f"{counts['+']:,} added, {counts['-']:,} removed, {counts['~']:,} changed"


def _file(change: FileChange) -> str:
    old, new = change.before, change.after
    what = []
    if old is not None and new is not None:
        pairs = {
            "kind": (old.kind, new.kind),
            "mode": (old.mode, new.mode),
            "size": (_size(old.size), _size(new.size)),
            "link": (old.link, new.link),
        }
        what = [f"{name} {' -> '.join(pairs[name])}" if name in pairs else name for name in change.differs]
    return _cut(f"  {_sign(old, new)} /{change.path}", f"  {', '.join(what)}" if what else "")


def _sign(before: object, after: object) -> str:
    return "+" if before is None else "-" if after is None else "~"


def _cut(text: str, end: str = "") -> str:
    """One line of at most 80 columns; what goes is the middle of the text, since paths begin and end tellingly."""
    room = max(WIDTH - len(end), WIDTH // 2)
    if len(text) > room:
        text = f"{text[: room * 2 // 5]}…{text[len(text) - room + room * 2 // 5 + 1 :]}"
    return f"{text}{end}"


def _size(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
