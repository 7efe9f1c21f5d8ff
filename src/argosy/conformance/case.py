"""All scenes that were observed of one image, by their type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Scene = TypeVar("Scene")


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that was observed of one image.

    Attributes:
        scenes: Type of a scene -> the scene.
        absent: Type of a scene that could not be played -> why.
    """

    scenes: Mapping[type, object] = field(default_factory=dict)
    absent: Mapping[type, str] = field(default_factory=dict)

    @classmethod
    def of(cls, *scenes: object, absent: Mapping[type, str] | None = None) -> "Case":
        """A case of these scenes."""
        return cls({type(scene): scene for scene in scenes}, dict(absent or {}))

    def find(self, kind: type[Scene]) -> Scene | None:
        """The scene of a type, or None when it was not played."""
        found = self.scenes.get(kind)
        return found if isinstance(found, kind) else None

    def joined(self, other: "Case") -> "Case":
        """Both; what the other has comes before what this one has."""
        return Case({**self.scenes, **other.scenes}, {**self.absent, **other.absent})

    def without(self, kinds: Iterable[type], reason: str) -> "Case":
        """The same with scenes that could not be played, and why."""
        return Case(self.scenes, {**self.absent, **dict.fromkeys(kinds, reason)})
