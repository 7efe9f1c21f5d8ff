"""What is measured and what it should come to: the table of goals, as data."""

from dataclasses import dataclass
from typing import Final

RATE, MEDIAN, TAIL = "requests_per_s", "p50_ms", "p99_ms"
PACE = "paced_per_s"
"""Connections / mean time of an answer: what a rate comes to when answers end in step and a window cuts a step."""
BARE, BARE_WIDE, OWN_PACE = "bare", "bare_wide", "own_pace"
FLOOR, NGINX, PLAIN_ASGI = "floor", "nginx", "plain_asgi"


@dataclass(frozen=True, slots=True)
class Goal:
    """One demand on one row.

    Attributes:
        measure: What is compared: of ours divided by the rival's, or ours alone when there is no rival.
        at_least: Bound from below, or None.
        at_most: Bound from above, or None.
        against: The rivals; with several, the best of them counts. Empty: the figure itself is judged.
    """

    measure: str
    at_least: float | None = None
    at_most: float | None = None
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        id: As `--rows` takes it.
        title: As the table shows it.
        work: What all servers do, see `work.py`; for rows with a program of their own, empty.
        body: Name of the request's body; empty: a GET of the health check.
        connections: Of the load.
        goals: What it should come to.
        beside: Rivals that are measured without a goal.
        seconds: Of one round.
    """

    id: str
    title: str
    work: str = ""
    body: str = ""
    connections: int = 0
    goals: tuple[Goal, ...] = ()
    beside: tuple[str, ...] = ()
    seconds: float = 1.0

    def rivals(self) -> tuple[str, ...]:
        """All that it is measured against, each once, the goals' first."""
        named = [name for goal in self.goals for name in goal.against] + list(self.beside)
        return tuple(dict.fromkeys(named))


def _faster(*pairs: tuple[str, float]) -> tuple[Goal, ...]:
    """Goals in requests a second."""
    return tuple(Goal(RATE, at_least=factor, against=(rival,)) for rival, factor in pairs)


_EVERYBODY: Final = ("mosec", "byoc", "litserve", "bentoml", "mlserver", "mms")
_STREAMING: Final = ("byoc", "mosec", "litserve", "bentoml")

ROWS: Final = (
    Row("mlp_64", "one-row JSON, ONNX network, 64 connections", "mlp", "mlp_1", 64,
        _faster(("mosec_batched", 1.7), ("mosec", 9), (BARE, 0.65), ("litserve", 30), ("bentoml", 60),
                ("mlserver", 40), ("kserve", 12), ("mms", 45)), (BARE_WIDE, PLAIN_ASGI)),
    Row("csv_64", "one-row CSV, scikit-learn, 64 connections", "logistic", "iris_1", 64,
        _faster(("mosec_batched", 1.6), ("mosec", 14), (BARE, 0.6), ("byoc", 40), ("bentoml", 60), ("mlserver", 40),
                ("kserve", 12), ("mms", 45)), (BARE_WIDE, "litserve")),
    Row("mlp_8", "one-row JSON, ONNX network, 8 connections", "mlp", "mlp_1", 8,
        _faster(("mosec_batched", 7)), ("mosec",)),
    Row("csv_8", "one-row CSV, scikit-learn, 8 connections", "logistic", "iris_1", 8,
        _faster(("mosec_batched", 4.5)), ("mosec",)),
    Row("mlp_1", "one-row JSON, ONNX network, 1 connection", "mlp", "mlp_1", 1,
        (Goal(MEDIAN, at_most=1.0, against=("mosec", "mosec_batched")),)),
    Row("csv_1", "one-row CSV, scikit-learn, 1 connection", "logistic", "iris_1", 1,
        (Goal(MEDIAN, at_most=1.0, against=("mosec", "mosec_batched")),
         Goal(MEDIAN, at_most=0.25, against=("byoc",)))),
    Row("csv1000_8", "1,000-row CSV, scikit-learn, 8 connections", "logistic", "iris_1000", 8,
        _faster(("mosec", 2), ("byoc", 7), ("mms", 12))),
    Row("echo_64", "echo 100 B, 64 connections", "echo", "echo_100", 64,
        _faster(("mosec", 5.5), (FLOOR, 0.4), ("byoc", 30), ("litserve", 40), ("bentoml", 60), ("mlserver", 14),
                ("mms", 45)), (PLAIN_ASGI,)),
    Row("echo_1", "echo 100 B, 1 connection", "echo", "echo_100", 1,
        (Goal(MEDIAN, at_most=1.5, against=(FLOOR,)),), ("mosec",)),
    Row("echo5m_8", "echo 5 MB, 8 connections", "echo", "echo_5m", 8,
        (Goal(RATE, at_least=2.3, against=_EVERYBODY), *_faster((FLOOR, 0.8)))),
    Row("echo100k_8", "echo 100 KB, 8 connections", "echo", "echo_100k", 8, _faster((FLOOR, 0.45)), ("mosec",)),
    Row("ping_64", "`/ping`, 64 connections", "echo", "", 64, _faster((NGINX, 0.65)), ("mosec",)),
    Row("slow_32", "20 ms model that gains from batches, 32 connections", "slow", "slow_1", 32,
        (*_faster(("mosec_batched", 1.05)), Goal(TAIL, at_most=0.7, against=("mosec_batched",)),
         *_faster((BARE, 0.95), ("litserve_batched", 2), ("bentoml_batched", 3), ("mlserver_batched", 3))),
        seconds=3.0),
    Row("forest_64", "one-row CSV, random forest, 64 connections", "forest", "iris_1", 64, _faster((BARE, 0.95)),
        (BARE_WIDE, "mosec_batched"), seconds=2.0),
    Row("stream_8", "stream of 50 parts, 8 connections", "stream", "stream", 8,
        (Goal(RATE, at_least=1.6, against=_STREAMING),)),
    Row("stream_5ms_64", "64 streams of 50 parts, 5 ms a part", "stream_5ms", "stream", 64,
        (Goal(PACE, at_least=0.98, against=(OWN_PACE,)),), ("byoc",), seconds=2.0),
    Row("ping_held", "`/ping` while every model process keeps its GIL for 10 s, waiting",
        goals=(Goal(TAIL, at_most=2.0), Goal("worst_ms", at_most=50.0))),
    Row("ping_computing", "`/ping` while every model process keeps its GIL for 10 s, computing",
        goals=(Goal(TAIL, at_most=2.0), Goal("worst_ms", at_most=50.0))),
    Row("start", "start to first `/ping` 200, beyond importing and loading the model",
        goals=(Goal("beyond_s", at_most=0.15),)),
    Row("memory", "memory of front and one echo model process", goals=(Goal("pss_mb", at_most=60.0),)),
    Row("memory_shared", "memory of four processes of a 2 GB model loaded before the fork",
        goals=(Goal("pss_mb", at_most=2200.0),)),
    Row("replacement", "a killed model process to the next `/ping` 200", goals=(Goal("median_ms", at_most=500.0),)),
)  # fmt: skip


def find(names: list[str]) -> list[Row]:
    """Rows by id, all when none is named.

    Raises:
        KeyError: There is no such row.
    """
    known = {row.id: row for row in ROWS}
    return [known[name] for name in names] if names else list(ROWS)
