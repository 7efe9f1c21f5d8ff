"""Secrets in an image: looked for before a layer is made, in a finished image's layers, in its configuration.

No layer is changed by those above it: a file that a later step deletes is pulled with the image all the same. So every
layer is looked at for itself, and not only what the merged tree leaves of it. What is found is named by its place; the
secret itself is in no value that leaves this package.
"""

import json
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Literal

from argosy.errors import SecretFoundError
from argosy.image.filesystem import Filesystem
from argosy.image.image import Image, canonical_json
from argosy.image.layer import Member, cache_key
from argosy.image.materials import signs
from argosy.image.observation import Sink
from argosy.model_archive import written_aside

_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Secret:
    """What seems to be a secret.

    Attributes:
        kind: Where it is.
        name: The file's path without a leading slash, the name of the variable or label, the number of the step.
        what: Why, as the end of a sentence about it.
        variable: Of a step in the history: the variable that it gives a value, None when that is not what is wrong.
    """

    kind: Literal["file", "variable", "label", "history"]
    name: str
    what: str
    variable: str | None = None

    @property
    def place(self) -> str:
        """How `image.allow_secrets` names it: a path in the image, the name of a variable or label, or `history`."""
        if self.kind == "file":
            return f"/{self.name}"
        return (self.variable or "history") if self.kind == "history" else self.name

    def __str__(self) -> str:
        """A sentence that names the place."""
        if self.kind == "history":
            return f"step {self.name} of the history {self.what}"
        return f"{self.kind} `{'/' if self.kind == 'file' else ''}{self.name}` {self.what}"


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking through all layers.

    Attributes:
        layers: How many there are.
        files: How many files they have, deleted ones too.
        found: In the order of layers, each path once.
    """

    layers: int
    files: int
    found: tuple[Secret, ...]


class SecretObserver:
    """Looks at every file of one layer: its name, and its content when it is text.

    Attributes:
        files: How many files the layer has.
        found: Path -> what seems to be a secret.
    """

    def __init__(self) -> None:
        self.files = 0
        self.found: dict[str, Secret] = {}

    def begin(self, member: tarfile.TarInfo) -> Sink | None:
        """Judge a member's name; its text too, where the name says nothing."""
        if not (member.isfile() or member.islnk()):
            return None
        self.files += 1
        path = member.name.removeprefix("./").strip("/")
        secret = _by_path(path) if member.size or member.islnk() else None
        if secret is not None:
            self.found.setdefault(secret.name, secret)
        return _Text(self, path) if secret is None and member.isfile() and member.size else None

    def finish(self, digest: str, diff_id: str) -> None:
        """Nothing is remembered."""


class _Text(signs.TextSearch):
    """A file's text as it goes by."""

    def __init__(self, observer: SecretObserver, path: str) -> None:
        super().__init__(path)
        self._observer = observer
        self._path = path

    def close(self) -> None:
        if self.found is not None:
            secret = Secret("file", self._path, f"holds {self.found}")
            self._observer.found.setdefault(self._path, secret)


def search_result(observers: Sequence[SecretObserver], filesystem: Filesystem) -> Search:
    """What the observers of all layers found.

    Args:
        observers: One for each layer, lowest first.
        filesystem: The same layers merged: tells what is left of a file.
    """
    found: dict[str, Secret] = {}
    for layer, observer in enumerate(observers):
        for secret in observer.found.values():
            if secret.name not in found:
                fate = _fate(filesystem, secret.name, layer)
                found[secret.name] = Secret("file", secret.name, secret.what + fate)
    return Search(len(observers), sum(observer.files for observer in observers), tuple(found.values()))


def search_config(image: Image) -> Iterator[Secret]:
    """Look at the environment, the labels and the history, in this order.

    Raises:
        ImageError: The config is broken.
    """
    runtime = image.runtime
    named = set()
    for variable in runtime.get("Env") or []:
        name, _, value = str(variable).partition("=")
        named_so = signs.is_secret_variable(name, value)
        what = signs.secret_in(value) or ("a secret by its name" if named_so else None)
        if what:
            named.add(name)
            yield Secret("variable", name, f"holds {what}")
    for name, value in (runtime.get("Labels") or {}).items():
        if what := signs.secret_in(str(value)):
            yield Secret("label", name, f"holds {what}")
    for number, step in enumerate(image.config.get("history") or []):
        if not isinstance(step, dict):
            continue
        command = str(step.get("created_by") or "")
        # An ENV instruction stands in the history too: once is enough.
        assigned = [name for name in signs.secret_assignments(command) if name not in named]
        named.update(assigned)
        for name in assigned:
            yield Secret("history", str(number), f"holds a value of `{name}`, a secret by its name", name)
        if not assigned and not any(name in command for name in named) and (what := signs.secret_in(command)):
            yield Secret("history", str(number), f"holds {what}")


def search_members(members: Iterable[Member], published: str, private: Collection[str] = frozenset()) -> list[Secret]:
    """Look at what is to become a layer: names, and the content of text.

    Args:
        members: Of one layer.
        published: Folder of installed distributions, ended with a slash: of files below it only the names count, and
            what they say of package indexes. Whoever can install a distribution knows its text anyway.
        private: Paths below it of distributions that come from this machine: nobody else can install those.
    """
    found: dict[str, Secret] = {}
    for member in members:
        if member.size == 0 or member.open is None:
            continue
        secret = _by_path(member.path)
        is_private = member.path in private
        is_read = is_private or not member.path.startswith(published) or signs.holds_urls(member.path)
        if secret is None and is_read:
            with member.open() as stream:
                what = signs.secret_in_file(member.path, stream, is_private=is_private)
            secret = Secret("file", member.path, f"holds {what}") if what else None
        if secret is not None:
            found.setdefault(secret.name, secret)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class SecretCheck:
    """Refuses what seems to be a secret; what a layer's members were found to be is remembered by the layer's key.

    Attributes:
        cache_dir: The user's cache folder.
        allowed: Place -> why it is no secret, as `image.allow_secrets` says.
        published: Folder of installed distributions, as for `search_members`.
        private: Paths below it that are read all the same, as for `search_members`.
    """

    cache_dir: Path
    allowed: Mapping[str, str]
    published: str
    private: frozenset[str] = frozenset()

    def require_none_in_layer(self, name: str, key: str | None, members: Callable[[], Sequence[Member]]) -> None:
        """Refuse a layer before it is made, so that no secret comes even into the cache.

        Args:
            name: The layer's.
            key: The layer's in the cache, None when it is not to be remembered.
            members: What is to be in it; not asked when it is known.

        Raises:
            SecretFoundError: Something seems to be a secret and is not allowed.
        """
        remembered = None
        if key is not None:
            rules = [signs.FORMAT, sorted(self.private)]
            remembered = self.cache_dir / "secrets" / cache_key("secrets", rules, key)
        found = None if remembered is None else _recall(remembered)
        if found is None:
            found = search_members(members(), self.published, self.private)
            if remembered is not None:
                with written_aside(remembered) as aside:
                    aside.write_bytes(canonical_json([astuple(secret) for secret in found]))
        self._require_allowed(found, f"layer `{name}`")

    def require_none_in_config(self, image: Image) -> None:
        """Refuse an image whose environment, labels or history, its base's too, hold a secret.

        Raises:
            SecretFoundError: Something seems to be a secret and is not allowed.
        """
        self._require_allowed(search_config(image), "the image's configuration")

    def _require_allowed(self, found: Iterable[Secret], where: str) -> None:
        refused = [secret for secret in found if secret.place not in self.allowed]
        if not refused:
            return
        listed = [str(secret) for secret in refused[:_SHOWN]]
        if len(refused) > _SHOWN:
            listed.append(f"{len(refused) - _SHOWN} more")
        allowed = [f'{json.dumps(place)} = "why it is none"' for place in dict.fromkeys(one.place for one in refused)]
        raise SecretFoundError(
            "a secret would be in the image for whoever may pull it",
            got="; ".join(listed),
            where=where,
            hint="take it out of the project and revoke it; if it is none, say why in argosy.toml:\n"
            + "\n".join(["[image.allow_secrets]", *allowed]),
        )


def _by_path(path: str) -> Secret | None:
    folder = signs.control_folder(path)
    if folder is not None:
        return Secret("file", folder, "is a version control folder: every past version of every file is in it")
    return Secret("file", path, "usually holds secrets") if signs.has_secret_path(path) else None


def _recall(path: Path) -> list[Secret] | None:
    try:
        return [Secret(kind, name, what, variable) for kind, name, what, variable in json.loads(path.read_bytes())]
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _fate(filesystem: Filesystem, path: str, layer: int) -> str:
    """What later layers made of a file."""
    left = filesystem.resolve(path)
    if left is None:
        return "; a later layer deletes it, and it is shipped all the same"
    if left.layer != layer:
        return "; a later layer replaces it, and it is shipped all the same"
    return ""
