"""As much of a Dockerfile as the projects in `tests/projects` are written in."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Copy:
    """`COPY`: names in the project, or paths in an earlier stage, and where they go."""

    sources: Sequence[str]
    target: str
    stage: str | None = None


@dataclass
class Stage:
    """One `FROM` and what follows it."""

    name: str
    base: str
    packages: list[str] = field(default_factory=list)
    requirements: str | None = None
    distributions: list[str] = field(default_factory=list)
    executables: list[str] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    working_dir: str = ""
    entrypoint: Sequence[str] = ()


PIP_INTO_SYSTEM = re.compile(r"pip install --no-cache-dir ([\w.=-]+(?: [\w.=-]+)*)")
CHMOD = re.compile(r"chmod 755 (\S+)")
APT = re.compile(r"apt-get update && apt-get install -y --no-install-recommends ([a-z0-9.+ -]+?)(?: && rm -rf \S+)?")
PIP = re.compile(r"python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r (\S+)")


def read(path: Path, variables: Mapping[str, str]) -> list[Stage]:
    """The stages of a Dockerfile; fails at what it does not know.

    Args:
        path: The Dockerfile.
        variables: The environment that every base image has.
    """
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for instruction, rest in _instructions(path.read_text()):
        if instruction == "ARG" and not stages:
            arguments |= _pairs(rest)
        elif instruction == "FROM":
            base, *named = _substituted(rest, arguments).split()
            stages.append(Stage(named[1] if named else "", base, environment=dict(variables)))
        else:
            _follow(stages[-1], instruction, rest)
    return stages


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            instruction, _, rest = line.partition(" ")
            yield instruction, rest.strip()


def _follow(stage: Stage, instruction: str, rest: str) -> None:
    match instruction:
        case "RUN" if found := APT.fullmatch(rest):
            stage.packages += found[1].split()
        case "RUN" if found := PIP.fullmatch(rest):
            stage.requirements = found[1]
        case "RUN" if found := PIP_INTO_SYSTEM.fullmatch(rest):
            stage.distributions += found[1].split()
        case "RUN" if found := CHMOD.fullmatch(rest):
            stage.executables.append(found[1])
        case "RUN":
            stage.commands.append(rest)
        case "COPY":
            words = rest.split()
            named = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
            stage.copies.append(Copy(words[:-1], words[-1], named))
        case "ENV":
            for name, value in _pairs(rest):
                stage.environment[name] = _substituted(value, stage.environment)
        case "LABEL":
            stage.labels |= _pairs(rest)
        case "WORKDIR":
            stage.working_dir = rest
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        case _:
            raise ValueError(f"unknown here: {instruction} {rest}")


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (word.partition("=") for word in shlex.split(text))]


def _substituted(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], text)
