"""One demand of SageMaker's or AWS Marketplace's, as a value; each stands in the file that has its check."""

from dataclasses import dataclass

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
    """

    id: str
    sentence: str
    level: Level
    source: str
    remedy: str
    rows: tuple[str, ...] = ()
    read: str = READ


def must(id_: str, source: str, sentence: str, remedy: str, *, rows: str = "") -> Clause:
    """A documented rule, or what is known to fail; `rows` are separated by blanks."""
    return Clause(id_, sentence, Level.MUST, source, remedy, tuple(rows.split()))


def should(id_: str, source: str, sentence: str, remedy: str, *, rows: str = "") -> Clause:
    """A recommendation."""
    return Clause(id_, sentence, Level.SHOULD, source, remedy, tuple(rows.split()))


def fact(id_: str, source: str, sentence: str, remedy: str, *, rows: str = "") -> Clause:
    """A fact that is worth to be shown, and no demand."""
    return Clause(id_, sentence, Level.INFO, source, remedy, tuple(rows.split()))
