"""Axes and marks of charts: x in percent of whatever width the page has, y in pixels, so that text keeps its size.

Every plot is a row of a grid: the labels of its y axis in a column of fixed width, then the drawing. Colours are the
style sheet's, by class.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from argosy.conformance.reporting.markup import element

_STEPS: Final = (1, 2, 5, 10)
_TICKS: Final = 5
_LABEL_RIGHT: Final = 62
_MARGIN: Final = 8
"""Above and below the plot, so that marks at its edges are whole."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale.

    Attributes:
        low: Value at its beginning.
        high: Value at its end; more than `low`.
        ticks: Values that are labelled.
        is_log: Whether its steps are factors; `low` is more than 0 then.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def part(self, value: float) -> float:
        """Where a value lies, from 0 to 1; what is outside lies at the edge."""
        if self.is_log:
            found = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            found = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, found))

    def x(self, value: float) -> str:
        """Where a value lies from left to right, as an attribute."""
        return f"{self.part(value) * 100:.2f}%"

    def y(self, value: float, height: int) -> float:
        """Where a value lies from top to bottom, in pixels of a plot that is so high."""
        return round(_MARGIN + (1 - self.part(value)) * (height - 2 * _MARGIN), 1)


def linear(high: float) -> Axis:
    """A scale from 0 to `high`, its ticks round."""
    high = high if high > 0 else 1.0
    raw = high / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((factor * power for factor in _STEPS if factor * power >= raw), 10 * power)
    return Axis(0.0, high, tuple(round(number * step, 9) for number in range(int(high / step * 1.0001) + 1)))


def logarithmic(low: float, high: float) -> Axis:
    """A scale whose ticks are powers of ten, with all between `low` and `high`."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(max(high, low * 1.01)))
    return Axis(10.0**first, 10.0**last, tuple(10.0**power for power in range(first, last + 1)), is_log=True)


def plot(height: int, axis: Axis | None, labels: Iterable[tuple[float, str]], *drawn: Element) -> Element:
    """A row of a chart: labels at heights of the y axis, and what is drawn beside them.

    Args:
        height: In pixels.
        axis: The y axis, whose ticks become lines across; None has none.
        labels: Height in pixels and text.
        drawn: Elements with x in percent and y in pixels.
    """
    heights = [axis.y(tick, height) for tick in axis.ticks] if axis else []
    lines = [element("line", class_="grid", x1="0", x2="100%", y1=f"{at:g}", y2=f"{at:g}") for at in heights]
    texts = [
        element("text", text, x=str(_LABEL_RIGHT), y=f"{at + 4:g}", class_="tick end", text_anchor="end")
        for at, text in labels
    ]
    return element(
        "div",
        element("svg", *texts, class_="labels", height=str(height), width=str(_LABEL_RIGHT + 2)),
        element("svg", *lines, *drawn, class_="drawing", height=str(height)),
        class_="plot",
    )


def time_row(axis: Axis) -> Element:
    """The labels of the axis of time, below the plots."""
    texts: list[Element] = []
    for tick in axis.ticks:
        anchor = "start" if tick == axis.low else "end" if axis.part(tick) > 0.96 else "middle"
        texts.append(element("text", seconds(tick), x=axis.x(tick), y="14", class_="tick", text_anchor=anchor))
    return plot(20, None, [(10, "time")], *texts)


def mark(shape: str, x: str, y: float, class_: str) -> Element:
    """A small mark: `dot`, `bar`, `diamond`, `square` or `cross`; each shape has a meaning of its own."""
    if shape == "dot":
        return element("circle", cx=x, cy=f"{y:g}", r="3", class_=class_)
    path = {"bar": "M0-4V4", "diamond": "M0-5 5 0 0 5-5 0z", "square": "M-4-4H4V4H-4z", "cross": "M-4-4 4 4M-4 4 4-4"}[
        shape
    ]
    return element("svg", element("path", d=path, class_=class_), x=x, y=f"{y:g}", class_="mark")


def area(points: Sequence[tuple[float, float]], x: Axis, y: Axis, height: int) -> list[Element]:
    """A filled curve through points; it is stretched with the page, its line is not."""
    placed = [(x.part(at) * 1000, y.y(value, height)) for at, value in points]
    curve = " ".join(f"{at:.1f},{level:g}" for at, level in placed)
    bottom = y.y(y.low, height)
    closed = f"{placed[0][0]:.1f},{bottom:g} {curve} {placed[-1][0]:.1f},{bottom:g}"
    shapes = (element("polygon", points=closed, class_="fill"), element("polyline", points=curve, class_="curve"))
    return [
        element(
            "svg",
            *shapes,
            viewBox=f"0 0 1000 {height}",
            preserveAspectRatio="none",
            width="100%",
            height=str(height),
        )
    ]


def seconds(value: float) -> str:
    """A time for people.

    >>> seconds(0.00153), seconds(0.25), seconds(12.04)
    ('1.5 ms', '250 ms', '12 s')
    """
    if value == 0:
        return "0 s"
    return f"{value * 1000:.2g} ms" if value < 0.0995 else f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def megabytes(count: float) -> str:
    """A size for people.

    >>> megabytes(32881664), megabytes(3 * 2**30)
    ('31 MB', '3.0 GB')
    """
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"
