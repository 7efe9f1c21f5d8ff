import subprocess
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.image.dockerfile import text
from argosy.image.dockerfile.text import Recipe, render
from argosy.image.interpreter import Interpreter
from argosy.image.manifest import Settings

GOLDEN = Path(__file__).parent.parent.parent / "golden"
STARTED = Settings(
    {"PATH": "/opt/venv/bin:/usr/bin", "PYTHONUNBUFFERED": "1", "QUOTED": 'a "b" $c \\d'},
    ["/opt/venv/bin/serve"],
    ["serve"],
    "/opt/program",
    8080,
    {"com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true"},
)
SMALL = Recipe("docker.io/library/python:3.11-slim", Interpreter("/usr/local/bin/python3.11", "3.11"), STARTED)
FULL = Recipe(
    f"docker.io/library/python:3.11-slim@sha256:{'0' * 64}",
    Interpreter("/usr/bin/python3.11", "3.11"),
    STARTED,
    ("libgomp1", "libpq5=15.8-0+deb12u1"),
    has_sources=True,
    has_dependencies=True,
    has_artifacts=True,
    needs_login=True,
    has_other_user=True,
    resets=("HEALTHCHECK NONE", "STOPSIGNAL SIGTERM"),
)
PLAIN = replace(FULL, has_buildkit=False, needs_login=False)


@pytest.mark.parametrize(("recipe", "file"), [(FULL, "Dockerfile"), (PLAIN, "Dockerfile.no-buildkit")])
def test_the_text_does_not_move(recipe: Recipe, file: str) -> None:
    assert render(recipe) == (GOLDEN / file).read_text()


@pytest.mark.parametrize("recipe", [SMALL, FULL, PLAIN])
def test_hadolint_finds_nothing(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(render(recipe))
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([hadolint, "--no-color", tmp_path / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_it_works_where_dockers_own_registry_cannot_be_reached() -> None:
    assert "# syntax" not in render(FULL)


def test_dockers_old_builder_is_asked_for_no_mount() -> None:
    assert "--mount" in render(FULL)
    assert "--mount" not in render(PLAIN)


def test_a_changed_predictor_changes_nothing_but_the_last_copy() -> None:
    lines = [line for line in render(FULL).splitlines() if line.startswith(("COPY", "RUN"))]
    assert lines[-1] == "COPY program/ /opt/program/"


def test_the_compiler_is_in_no_stage_that_the_image_is_made_of() -> None:
    stages = render(FULL).split("\nFROM ")
    assert [stage.partition("\n")[0] for stage in stages if "g++" in stage] == ["base AS sources"]
    assert "COPY --from=sources" not in stages[-1]


@pytest.mark.parametrize(
    "recipe",
    [
        replace(SMALL, settings=replace(STARTED, environment={"A": "1\nRUN evil"})),
        replace(SMALL, settings=replace(STARTED, labels={"A": "1\rRUN evil"})),
        replace(SMALL, system_packages=("libgomp1\nRUN evil",)),
        replace(SMALL, base_image="x\nRUN evil"),
    ],
)
def test_a_line_break_cannot_enter(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="line break") as raised:
        render(recipe)
    assert "evil" not in str(raised.value)


def test_a_package_is_one_word_of_the_shell() -> None:
    assert "    'a; rm -rf /' \\\n" in render(replace(SMALL, system_packages=("a; rm -rf /",)))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n")))
def test_a_quoted_value_is_what_it_was(value: str) -> None:
    quoted = text._quoted(value)
    assert quoted[0] == quoted[-1] == '"'
    plain, rest = [], list(quoted[1:-1])
    while rest:
        letter = rest.pop(0)
        assert letter not in '"$'
        plain.append(rest.pop(0) if letter == "\\" else letter)
    assert "".join(plain) == value
