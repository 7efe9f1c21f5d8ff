"""Charts of a container's life, one below the other on one axis of time: turns and requests, latency, memory.

Each has its numbers beside it in words or a table: who does not see it misses nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from argosy.conformance.recording import Kind, Life, Moment, TimedExchange
from argosy.conformance.reporting import plot
from argosy.conformance.reporting.markup import element
from argosy.conformance.reporting.plot import Axis, megabytes, seconds

_LARGE_BODY: Final = 1_000_000
_NOT_READY: Final = 503
"""What an honest container answers to health checks while it loads its model: no error."""
_LANE: Final = 22
_BAR: Final = 16
_LABEL_ROWS: Final = 3
_LETTER: Final = 0.0105
"""The width of a letter as a part of the plot, where that is as narrow as labels are shown at all."""
_LATENCY_HEIGHT: Final = 150
_MEMORY_HEIGHT: Final = 110
_ROWS: Final = 12
_SHORTEST_S: Final = 0.0001


@dataclass(frozen=True, slots=True)
class Event:
    """What is named on the timeline: a turn, the first invocation, a large body."""

    name: str
    at_s: float


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How requests ended that look alike: its name, its class in the style sheet, its shape and height."""

    name: str
    class_: str
    shape: str
    height: int


_OUTCOMES: Final = (
    _Outcome("2xx", "ok", "dot", 8),
    _Outcome("health check, 503", "waiting", "bar", 12),
    _Outcome("3xx and 4xx", "refused", "diamond", 12),
    _Outcome("5xx", "broken", "square", 16),
    _Outcome("no answer", "silent", "cross", 18),
)


def events(life: Life) -> tuple[Event, ...]:
    """What is worth a name on the timeline, in order."""
    found = [Event(str(turn.moment), turn.at_s) for turn in life.turns]
    invocations = [exchange for exchange in life.exchanges if exchange.kind is Kind.INVOCATION]
    found += [Event("first invocation", exchange.at_s) for exchange in invocations[:1]]
    large = [exchange for exchange in invocations if exchange.sent_bytes >= _LARGE_BODY]
    found += [Event(f"body of {exchange.sent_bytes / 2**20:.0f} MB", exchange.at_s) for exchange in large]
    return tuple(sorted(found, key=lambda event: event.at_s))


def charts(life: Life) -> Iterator[Element]:
    """The figures of one container."""
    time = plot.linear(max(life.seconds, 0.001))
    yield _timeline(life, time)
    if life.latencies:
        yield _latency(life, time)
    if life.memory:
        yield _memory(life, time)


def _figure(title: str, label: str, rows: Sequence[Element], *below: Element) -> Element:
    """A chart: what it shows as one picture, its words below."""
    return element(
        "figure",
        element("figcaption", title),
        element("div", *rows, role="img", aria_label=label, class_="chart"),
        *below,
    )


def _timeline(life: Life, time: Axis) -> Element:
    named = events(life)
    kinds = [kind for kind in Kind if any(exchange.kind is kind for exchange in life.exchanges)]
    names_height = _LABEL_ROWS * 16 + 4
    height = names_height + _BAR + 10 + _LANE * len(kinds)
    drawn = [*_names(named, time, height), *_phases(life, time, names_height)]
    labels: list[tuple[float, str]] = []
    for number, kind in enumerate(kinds):
        bottom = names_height + _BAR + 8 + _LANE * (number + 1)
        labels.append((bottom - 8, {Kind.HEALTH_CHECK: "health", Kind.INVOCATION: "invoke"}.get(kind, "other")))
        drawn += [_tick(each, time, bottom) for each in life.exchanges if each.kind is kind]
    listed = element(
        "ol",
        *(element("li", element("b", seconds(event.at_s)), f" {event.name}") for event in named),
        class_="events",
    )
    label = (
        f"Timeline of {seconds(life.seconds)}: {', '.join(f'{each.name} at {seconds(each.at_s)}' for each in named)}."
    )
    rows = [plot.plot(height, None, [(names_height + _BAR / 2, "state"), *labels], *drawn), plot.time_row(time)]
    meaning = (
        "A bar is a request, as wide as it took long; the worse it ended, the higher: 2xx, 4xx, 5xx, no answer. "
        "503 to a health check is no error: the container is not ready."
    )
    return _figure("Timeline of the container's life", label, rows, listed, element("p", meaning, class_="fact"))


def _names(named: Sequence[Event], time: Axis, height: int) -> Iterator[Element]:
    """A line down from each event, its name in the first row that has room."""
    ends = [0.0] * _LABEL_ROWS
    for event in named:
        at = time.part(event.at_s)
        yield element("line", class_="event", x1=time.x(event.at_s), x2=time.x(event.at_s), y1="2", y2=str(height - 2))
        is_left = at + len(event.name) * _LETTER > 1
        begin = at - len(event.name) * _LETTER if is_left else at
        row = next((row for row, end in enumerate(ends) if end <= begin), None)
        if row is not None:
            ends[row] = begin + len(event.name) * _LETTER + 0.01
            name = element("text", event.name, x="-4" if is_left else "4", text_anchor="end" if is_left else "start")
            yield element("svg", name, x=time.x(event.at_s), y=str(row * 16 + 13), class_="mark name")


def _phases(life: Life, time: Axis, top: int) -> Iterator[Element]:
    """What the container did meanwhile: it started, served, ended."""
    healthy, terminated = life.when(Moment.HEALTHY), life.when(Moment.TERMINATED)
    ended = next((turn.at_s for turn in life.turns if turn.moment in (Moment.ENDED, Moment.KILLED)), life.seconds)
    bounds = [("starting", 0.0, ended if healthy is None else healthy)]
    if healthy is not None:
        bounds.append(("serving", healthy, ended if terminated is None else terminated))
    if terminated is not None:
        bounds.append(("stopping", terminated, ended))
    for name, begin, end in bounds:
        width = time.part(end) - time.part(begin)
        yield element(
            "rect", class_=f"phase {name}", x=time.x(begin), y=str(top), width=f"{width * 100:.2f}%", height=str(_BAR)
        )
        if width > len(name) * _LETTER * 1.4:
            middle = f"{(time.part(begin) + width / 2) * 100:.2f}%"
            yield element("text", name, x=middle, y=str(top + 12), class_="phase-name", text_anchor="middle")


def _outcome(exchange: TimedExchange) -> _Outcome:
    success, waiting, refused, broken, silent = _OUTCOMES
    if exchange.status is None:
        return silent
    if exchange.kind is Kind.HEALTH_CHECK and exchange.status == _NOT_READY:
        return waiting
    return success if exchange.status < 300 else refused if exchange.status < 500 else broken


def _tick(exchange: TimedExchange, time: Axis, bottom: float) -> Element:
    """A request as a bar as long as it took; the worse it ended, the higher."""
    outcome = _outcome(exchange)
    width = time.part(exchange.at_s + exchange.seconds) - time.part(exchange.at_s)
    return element(
        "rect",
        class_=f"request {outcome.class_}",
        x=time.x(exchange.at_s),
        y=f"{bottom - outcome.height:g}",
        width=f"{max(width * 100, 0.05):.2f}%",
        height=str(outcome.height),
    )


def _latency(life: Life, time: Axis) -> Element:
    took = [exchange.seconds for exchange in life.exchanges]
    axis = plot.logarithmic(max(_SHORTEST_S, min(took)), max(took))
    drawn: list[Element] = []
    for exchange in life.exchanges:
        outcome = _outcome(exchange)
        y = axis.y(exchange.seconds, _LATENCY_HEIGHT)
        drawn.append(plot.mark(outcome.shape, time.x(exchange.at_s), y, f"{outcome.class_} {_short(exchange.kind)}"))
    labels = [(axis.y(tick, _LATENCY_HEIGHT), seconds(tick)) for tick in axis.ticks]
    told = "; ".join(
        f"{each.count} {each.kind}s: median {seconds(each.median_s)}, slowest {seconds(each.slowest_s)}"
        for each in life.latencies
    )
    rows = [plot.plot(_LATENCY_HEIGHT, axis, labels, *drawn), plot.time_row(time)]
    return _figure("Latency over the run", f"Latency over the run. {told}.", rows, _legend(), *_distribution(life))


def _short(kind: Kind) -> str:
    return {Kind.HEALTH_CHECK: "ping", Kind.INVOCATION: "invocation"}.get(kind, "other")


def _legend() -> Element:
    """What the marks mean; the drawings repeat what the words say."""
    first, *others = _OUTCOMES
    meanings = [(first.shape, f"{first.class_} ping", f"health check, {first.name}")]
    meanings += [(first.shape, first.class_, f"other request, {first.name}")]
    meanings += [(outcome.shape, outcome.class_, outcome.name) for outcome in others]
    items = []
    for shape, class_, meaning in meanings:
        drawing = element("svg", plot.mark(shape, "8", 8, class_), width="16", height="16", aria_hidden="true")
        items.append(element("li", drawing, meaning))
    return element("ul", *items, class_="legend")


def _distribution(life: Life) -> Iterator[Element]:
    """The quantiles of each kind, and how many requests took how long."""
    heads = ("requests", "number", "median", "90 %", "99 %", "slowest")
    rows = [
        element(
            "tr",
            element("th", f"{each.kind}s", scope="row"),
            element("td", f"{each.count:,}"),
            *(element("td", seconds(value)) for value in (each.median_s, each.p90_s, each.p99_s, each.slowest_s)),
        )
        for each in life.latencies
    ]
    yield _table("Latency of the answers", heads, rows)
    bounds = sorted({bound for each in life.latencies for bound, _ in each.buckets})
    rows = []
    for bound in bounds:
        cells = [
            _bar(dict(each.buckets).get(bound, 0), max(count for _, count in each.buckets)) for each in life.latencies
        ]
        rows.append(element("tr", element("th", f"≤ {seconds(bound)}", scope="row"), *cells))
    kinds = ("took", *(f"{each.kind}s" for each in life.latencies))
    yield element(
        "details",
        element("summary", "Distribution of the latency"),
        _table("How many requests took how long", kinds, rows, class_="distribution"),
    )


def _bar(count: int, most: int) -> Element:
    share = 100 * count / most if most else 0
    bar = element("rect", width=f"{share:.1f}%", height="10", class_="bar")
    drawing = element("svg", bar, class_="bars", height="10", aria_hidden="true")
    return element("td", element("span", f"{count:,}"), drawing)


def _memory(life: Life, time: Axis) -> Element:
    most = max(life.memory, key=lambda sample: sample.bytes)
    axis = plot.linear(most.bytes / 2**20 * 1.05)
    points = [(sample.at_s, sample.bytes / 2**20) for sample in life.memory]
    labels = [(axis.y(tick, _MEMORY_HEIGHT), megabytes(tick * 2**20)) for tick in axis.ticks]
    drawn = plot.area(points, time, axis, _MEMORY_HEIGHT)
    drawn.append(plot.mark("dot", time.x(most.at_s), axis.y(most.bytes / 2**20, _MEMORY_HEIGHT), "peak"))
    first, last = life.memory[0], life.memory[-1]
    told = f"most {megabytes(most.bytes)} at {seconds(most.at_s)}, last {megabytes(last.bytes)}"
    step = max(1, len(life.memory) // _ROWS)
    rows = [
        element("tr", element("th", seconds(each.at_s), scope="row"), element("td", megabytes(each.bytes)))
        for each in life.memory[::step]
    ]
    label = f"Memory of all processes over the run: first {megabytes(first.bytes)}, {told}."
    return _figure(
        f"Memory over the run: {told}",
        label,
        [plot.plot(_MEMORY_HEIGHT, axis, labels, *drawn), plot.time_row(time)],
        element("details", element("summary", "Memory as a table"), _table("Memory", ("after", "memory"), rows)),
    )


def _table(caption: str, heads: Sequence[str], rows: Sequence[Element], class_: str = "numbers") -> Element:
    head = element("thead", element("tr", *(element("th", each, scope="col") for each in heads)))
    return element("table", element("caption", caption), head, element("tbody", *rows), class_=class_)
