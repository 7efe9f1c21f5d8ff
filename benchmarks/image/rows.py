"""What is measured and what it should come to: the table of goals, as data."""

from dataclasses import dataclass
from typing import Final

ARGOSY, DOCKER, CLASSIC, BUILDAH, PLAIN = "argosy", "docker", "docker_classic", "buildah", "pip_install"
COLD, PREDICTOR, UNCHANGED = "cold", "predictor", "unchanged"
SECONDS, STORED, UNPACKED = "s", "stored_mb", "unpacked_mb"
SENT, PEAK = "sent_kb", "peak_mb"


@dataclass(frozen=True, slots=True)
class Goal:
    """One demand on one row, all bounds from above.

    Attributes:
        measure: What is compared: ours divided by the rival's, or ours alone when there is no rival.
        at_most: The bound.
        against: The rivals; with several, the best of them counts.
        of: Another row that has the rivals' figure; empty: the same.
    """

    measure: str
    at_most: float
    against: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        id: As `--rows` takes it.
        title: As the table shows it.
        project: Of `projects.py`.
        work: What is measured of it; rows of one project that are steps of the same story are measured together.
        goals: What it should come to.
    """

    id: str
    title: str
    project: str
    work: str
    goals: tuple[Goal, ...] = ()


_ENGINE: Final = (DOCKER, CLASSIC)
STEPS: Final = (COLD, PREDICTOR, UNCHANGED)

ROWS: Final = (
    Row("flask_cold", "Flask-sized, cold build and push", "flask", COLD, (Goal(SECONDS, 1 / 3, _ENGINE),)),
    Row("flask_predictor", "Flask-sized, predictor changed", "flask", PREDICTOR, (Goal(SECONDS, 0.5),)),
    Row("flask_unchanged", "Flask-sized, nothing changed", "flask", UNCHANGED, (Goal(SECONDS, 0.3),)),
    Row("sklearn_cold", "scikit-learn, cold build and push", "sklearn", COLD, (Goal(SECONDS, 1 / 5, _ENGINE),)),
    Row("sklearn_predictor", "scikit-learn, predictor changed", "sklearn", PREDICTOR,
        (Goal(SECONDS, 1 / 15, _ENGINE), Goal(SECONDS, 1 / 15, _ENGINE, of="sklearn_cold"))),
    Row("sklearn_unchanged", "scikit-learn, nothing changed", "sklearn", UNCHANGED),
    Row("sklearn_size", "scikit-learn, the whole image", "sklearn", "size",
        (Goal(STORED, 0.75, (PLAIN,)), Goal(UNPACKED, 0.75, (PLAIN,)))),
    Row("sklearn_sent", "scikit-learn, sent to the registry after a change of the predictor", "sklearn", "sent",
        (Goal(SENT, 50.0),)),
    Row("flask_start", "Flask-sized, `docker run` to the first `/ping` 200", "flask", "start"),
    Row("sklearn_start", "scikit-learn, `docker run` to the first `/ping` 200", "sklearn", "start"),
    Row("large_memory", "memory of a cold build and push of 10 GB of artifacts", "flask", "memory",
        (Goal(PEAK, 200.0),)),
)  # fmt: skip

LONG: Final = frozenset({"large_memory"})
"""Rows that are measured only when they are named."""


def find(names: list[str]) -> list[Row]:
    """Rows by id; all but the long ones when none is named.

    Raises:
        KeyError: There is no such row.
    """
    known = {row.id: row for row in ROWS}
    return [known[name] for name in names] if names else [row for row in ROWS if row.id not in LONG]
