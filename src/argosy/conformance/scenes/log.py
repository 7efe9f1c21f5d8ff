"""What the container writes to its log about requests that it refuses."""

from dataclasses import dataclass

from argosy.conformance.probes import Exchange


@dataclass(frozen=True, slots=True)
class Logged:
    """Requests whose bodies hold a word that is nowhere else.

    Attributes:
        word: The word.
        exchanges: The requests and their answers.
        lines: The end of what was logged meanwhile and shortly after.
        quoting: The lines of the log that hold the word.
    """

    word: str
    exchanges: tuple[Exchange, ...]
    lines: tuple[str, ...]
    quoting: tuple[str, ...]
