"""One demand of SageMaker's or AWS Marketplace's, as a value; each stands in the file that has its check."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.conformance.profile import Profile
from argosy.contract import READ, Level


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand.

    Attributes:
        id: Stable kebab-case name, as findings carry it.
        sentence: The demand, one sentence.
        level: How hard it is.
        source: URL where it is written down.
        remedy: What to do when it does not hold.
        rows: The requirements and known failures that it covers, as docs/reference/conformance.md numbers them: `C05`.
        read: The day on which the source was read.
        only: The profiles that ask for it; empty means all.
        levels: Where a profile asks more or less hard than `level`.
    """

    id: str
    sentence: str
    level: Level
    source: str
    remedy: str
    rows: tuple[str, ...] = ()
    read: str = READ
    only: tuple[Profile, ...] = ()
    levels: Mapping[Profile, Level] = field(default_factory=dict)

    def level_in(self, profile: Profile) -> Level:
        """How hard a profile asks for it."""
        return self.levels.get(profile, self.level)

    def is_asked_by(self, profile: Profile) -> bool:
        """Whether a profile asks for it at all."""
        return not self.only or profile in self.only


def must(
    id_: str, source: str, sentence: str, remedy: str, *, rows: str = "", only: tuple[Profile, ...] = ()
) -> Clause:
    """A documented rule, or what is known to fail; `rows` are separated by blanks."""
    return Clause(id_, sentence, Level.MUST, source, remedy, tuple(rows.split()), only=only)


def should(
    id_: str, source: str, sentence: str, remedy: str, *, rows: str = "", only: tuple[Profile, ...] = ()
) -> Clause:
    """A recommendation."""
    return Clause(id_, sentence, Level.SHOULD, source, remedy, tuple(rows.split()), only=only)


def fact(
    id_: str, source: str, sentence: str, remedy: str, *, rows: str = "", only: tuple[Profile, ...] = ()
) -> Clause:
    """A fact that is worth to be shown, and no demand."""
    return Clause(id_, sentence, Level.INFO, source, remedy, tuple(rows.split()), only=only)
