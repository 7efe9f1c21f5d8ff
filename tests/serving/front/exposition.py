"""A strict reader of Prometheus' text format 0.0.4, written from its rules.

Source:
    https://prometheus.io/docs/instrumenting/exposition_formats/, "Text format details" (read 2026-11-22).
"""

import math
import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
KINDS = {"counter", "gauge", "histogram", "summary", "untyped"}
Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    kind: str = ""
    told: str = ""
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float:
        return self.samples[name, tuple(sorted(labels.items()))]


def read(text: bytes) -> dict[str, Family]:
    """The families of an exposition; an AssertionError names the first rule that it breaks."""
    families: dict[str, Family] = {}
    current = ""
    assert text.endswith(b"\n"), "the last line must end with a line feed"
    for line in text.decode("utf-8").splitlines():
        if line.startswith("# HELP "):
            _, _, name, told = line.split(" ", 3)
            assert re.fullmatch(NAME, name), line
            assert name not in families, f"{name}: not one uninterrupted group, or a second HELP"
            families[name] = Family(told=told)
            current = name
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current and kind in KINDS and not families[name].kind and not families[name].samples, line
            families[name].kind = kind
        else:
            _read_sample(line, current, families[current])
    for name, family in families.items():
        _check(name, family)
    return families


def _read_sample(line: str, name: str, family: Family) -> None:
    match = SAMPLE.fullmatch(line)
    assert match, f"no sample: {line!r}"
    suffixes = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
    assert match[1] in {name + suffix for suffix in suffixes}, f"{line!r} in the group of {name}"
    labels = tuple(sorted(re.findall(LABEL, match[2] or "")))
    assert (match[1], labels) not in family.samples, f"twice: {line!r}"
    assert re.fullmatch(r"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|Inf)|NaN", match[len(match.groups())]), line
    family.samples[match[1], labels] = float(match[len(match.groups())])


def _check(name: str, family: Family) -> None:
    assert family.kind and family.told and family.samples, name
    if family.kind == "counter":
        assert name.endswith("_total"), name
        assert min(family.samples.values()) >= 0, name
    if family.kind != "histogram":
        return
    bounds = [
        (float(dict(labels)["le"]), value) for (kind, labels), value in family.samples.items() if "_bucket" in kind
    ]
    assert bounds == sorted(bounds), f"{name}: buckets in increasing order, and cumulative"
    assert len({bound for bound, _ in bounds}) == len(bounds), name
    assert bounds[-1] == (math.inf, family.value(f"{name}_count")), name
    assert family.value(f"{name}_sum") >= 0, name
