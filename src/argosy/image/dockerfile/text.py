"""The Dockerfile: stages that are thrown away make what enters the image, and the last copies it, layer by layer.

Source: docs.docker.com, "Dockerfile reference" (read 2026-11-22).
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from argosy.errors import UsageError
from argosy.image.interpreter import Interpreter
from argosy.image.layers.recipes import MODEL, PROGRAM
from argosy.image.manifest import Settings
from argosy.image.venv import VENV

LOGINS: Final = "netrc"
"""Id of the build secret that has the users and passwords of package indexes."""

REQUIREMENTS: Final = "requirements.txt"
PAGE: Final = "files.html"
_CACHE: Final = "--mount=type=cache,target=/root/.cache/pip"
_SECRET: Final = f"--mount=type=secret,id={LOGINS}"
_QUIET: Final = "--disable-pip-version-check --root-user-action ignore"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a Dockerfile says.

    Attributes:
        base_image: What `FROM` names, with its digest where one is known.
        python: The base image's.
        system_packages: Debian packages that apt-get installs.
        has_sources: Whether something is compiled, and there is a folder `sources`.
        has_dependencies: Whether there is a folder `dependencies`.
        has_artifacts: Whether there is a folder `model`.
        needs_login: Whether the build is lent the logins of package indexes.
        has_buildkit: Whether `RUN --mount` may be used: BuildKit and Podman know it, Docker's old builder does not.
        settings: What a container is started with.
        has_other_user: Whether the base image names another user than root.
        resets: Instructions that take back what else the base image sets.
    """

    base_image: str
    python: Interpreter
    settings: Settings
    system_packages: tuple[str, ...] = ()
    has_sources: bool = False
    has_dependencies: bool = False
    has_artifacts: bool = False
    needs_login: bool = False
    has_buildkit: bool = True
    has_other_user: bool = False
    resets: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """What `docker build` has to be told, beside a tag and the folder."""
        secret = [f"--secret id={LOGINS},src=$HOME/.netrc"] if self.needs_login else []
        return ["--platform linux/amd64", *secret]


def render(recipe: Recipe) -> str:
    """The Dockerfile's text.

    Raises:
        UsageError: A variable, label or name has a line break.
    """
    stages = [_head(recipe), _foundation(recipe)]
    if recipe.has_sources:
        stages.append(_sources(recipe))
    stages.append(
        [
            "FROM base AS environment",
            f"RUN {_python(recipe)} -m venv --without-pip /{VENV} && rm -f /{VENV}/lib64",
        ]
    )
    if recipe.has_dependencies or recipe.has_sources:
        stages.append(_dependencies(recipe))
    stages += [_installed("server", recipe), _image(recipe)]
    return "\n\n".join("\n".join(stage) for stage in stages) + "\n"


def _head(recipe: Recipe) -> list[str]:
    lines = [
        "# Written by `argosy build --eject`, which never overwrites what was edited.",
        f"# docker build {' '.join(recipe.flags())} --tag NAME FOLDER",
    ]
    if recipe.has_buildkit:
        lines.append("# With buildx add --provenance=false: SageMaker refuses an index with attestations.")
        lines.append("# With Podman add --format docker. Docker without BuildKit: argosy build --eject --no-buildkit")
    return lines


def _foundation(recipe: Recipe) -> list[str]:
    lines = [f"FROM {_one_line(recipe.base_image, 'image.base')} AS base"]
    if recipe.has_other_user:
        lines += ["# SageMaker runs containers as root.", "# hadolint ignore=DL3002", "USER 0"]
    return [*lines, *_apt_get(recipe.system_packages)] if recipe.system_packages else lines


def _sources(recipe: Recipe) -> list[str]:
    """The stage that compiles what has no wheel; the compiler stays behind in it."""
    tools = ["gcc", "g++", "libc6-dev", "make"]
    if recipe.python.path.startswith("/usr/bin/"):
        tools.append(f"{_python(recipe)}-dev")  # Debian's own Python has its headers apart
    return [
        "FROM base AS sources",
        *_apt_get(tools),
        "COPY sources/ /tmp/sources/",
        *_run(
            recipe,
            f"{_python(recipe)} -m pip wheel --no-deps --wheel-dir /tmp/wheels{_no_cache(recipe)}",
            "--disable-pip-version-check",
            f"--find-links /tmp/sources/{PAGE}",
            f"--require-hashes --requirement /tmp/sources/{REQUIREMENTS}",
        ),
    ]


def _dependencies(recipe: Recipe) -> list[str]:
    lines = _installed("dependencies", recipe) if recipe.has_dependencies else ["FROM environment AS dependencies"]
    if recipe.has_sources:
        lines += [
            "COPY --from=sources /tmp/wheels/ /tmp/wheels/",
            f"RUN {_pip(recipe)} install --no-deps --no-index --no-compile --no-cache-dir \\",
            f"    {_QUIET} \\",
            "    /tmp/wheels/*.whl",
        ]
    return lines


def _installed(folder: str, recipe: Recipe) -> list[str]:
    """The stage with an environment of what a folder of the context names, and of nothing else."""
    return [
        f"FROM environment AS {folder}",
        f"COPY {folder}/ /tmp/{folder}/",
        *_run(
            recipe,
            f"{_pip(recipe)} install --no-deps --only-binary :all: --no-compile{_no_cache(recipe)}",
            _QUIET,
            f"--no-index --find-links /tmp/{folder}/{PAGE}",
            f"--require-hashes --requirement /tmp/{folder}/{REQUIREMENTS}",
        ),
    ]


def _image(recipe: Recipe) -> list[str]:
    """The last stage: layers in the order in which they change, so that a new predictor is one small layer."""
    lines = ["FROM base"]
    if recipe.has_dependencies or recipe.has_sources:
        lines.append(f"COPY --from=dependencies /{VENV}/ /{VENV}/")
    lines.append(f"COPY --from=server /{VENV}/ /{VENV}/")
    if recipe.has_artifacts:
        lines.append(f"COPY model/ /{MODEL}/")
    started = recipe.settings
    return [
        *lines,
        f"COPY program/ /{PROGRAM}/",
        "ENV \\",
        *_pairs(started.environment),
        "LABEL \\",
        *_pairs(started.labels),
        *recipe.resets,
        f"WORKDIR {started.working_dir}",
        f"EXPOSE {started.port}/tcp",
        f"ENTRYPOINT {json.dumps(list(started.entrypoint))}",
        f"CMD {json.dumps(list(started.command))}",
    ]


def _apt_get(packages: Sequence[str]) -> list[str]:
    return [
        "# The release of the base image decides the versions.",
        "# hadolint ignore=DL3008",
        "RUN apt-get update \\",
        " && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\",
        *(f"    {shlex.quote(_one_line(name, 'image.system_packages'))} \\" for name in packages),
        " && rm -rf /var/lib/apt/lists/*",
    ]


def _run(recipe: Recipe, *words: str) -> Iterator[str]:
    """A `RUN` of pip over several lines, with what BuildKit lends it."""
    lent = [_CACHE] if recipe.has_buildkit else []
    if recipe.needs_login:
        lent += [_SECRET, f"NETRC=/run/secrets/{LOGINS}"]
    lines = [*lent, *words]
    for number, line in enumerate(lines, start=1):
        yield ("RUN " if number == 1 else "    ") + line + (" \\" if number < len(lines) else "")


def _python(recipe: Recipe) -> str:
    return f"python{recipe.python.version}"


def _pip(recipe: Recipe) -> str:
    return f"{_python(recipe)} -m pip --python /{VENV}/bin/python"


def _no_cache(recipe: Recipe) -> str:
    return "" if recipe.has_buildkit else " --no-cache-dir"


def _pairs(values: Mapping[str, str]) -> list[str]:
    """`NAME="value"` lines that continue one instruction."""
    listed = [f"    {name}={_quoted(_one_line(value, name))}" for name, value in values.items()]
    return [f"{line} \\" for line in listed[:-1]] + listed[-1:]


def _one_line(value: str, name: str) -> str:
    """The value, whose name alone may stand in an error."""
    if "\n" in value or "\r" in value:
        raise UsageError("a value with a line break cannot stand in a Dockerfile", got=f"`{name}`")
    return value


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
