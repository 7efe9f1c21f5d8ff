import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.image import build, dockerfile
from argosy.image.build import Surroundings
from argosy.image.dockerfile import Recipe, eject, render, requirements, server_wheel
from argosy.image.interpreter import Interpreter
from argosy.image.manifest import Settings
from argosy.project import Project
from tests.image.conftest import Shop
from tests.image.images import tree

GOLDEN = Path(__file__).parent.parent / "golden/Dockerfile"
STARTED = Settings(
    {"PATH": "/opt/venv/bin:/usr/bin", "PYTHONUNBUFFERED": "1", "QUOTED": 'a "b" $c \\d'},
    ["/opt/venv/bin/serve"],
    ["serve"],
    "/opt/program",
    8080,
    {"com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true"},
)
RECIPE = Recipe("python:3.11-slim", "3.11", True, True, "argosy-0.1.0-py3-none-any.whl", STARTED)


def ejected(shop: Shop, project: Project) -> Path:
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, shop.said.append)
    parts = build.plan(project, Interpreter("/usr/local/bin/python3.11", "3.11"), around)
    eject(project, "python:3.11-slim", parts, shop.root / "build/docker")
    return shop.root / "build/docker"


def test_the_text_does_not_move() -> None:
    assert render(RECIPE) == GOLDEN.read_text()


def test_it_works_where_dockers_own_registry_cannot_be_reached() -> None:
    assert "# syntax" not in render(RECIPE)


def test_the_folder_has_all_that_the_build_needs(shop: Shop) -> None:
    shop.index.add("model", "1.0")
    folder = ejected(shop, shop.project("model\n"))
    (shop.root / "run.py").touch()
    wheel_name = server_wheel()[0]
    assert set(tree(folder)) == {
        ".dockerignore", ".ejected", "Dockerfile", "requirements.txt", "server-requirements.txt",
        "program/predictor.py", wheel_name
    }  # fmt: skip
    (line,) = (folder / "requirements.txt").read_text().splitlines()
    assert line.startswith("model==1.0 --hash=sha256:")
    assert len((folder / "server-requirements.txt").read_text().splitlines()) == 6
    assert not list(folder.parent.glob(".*"))


def test_it_is_written_again_but_never_over_somebodys_work(shop: Shop) -> None:
    project = shop.project()
    folder = ejected(shop, project)
    first = tree(folder)
    (shop.root / "predictor.py").write_text("class Model: new = 1\n")
    assert ejected(shop, project) == folder
    assert tree(folder)["program/predictor.py"] == b"class Model: new = 1\n"
    assert tree(folder)["Dockerfile"] == first["Dockerfile"]
    assert not list(folder.parent.glob(".docker*"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Dockerfile", "was edited"),
        ("program/predictor.py", "was edited"),
        ("program/mine.py", "is not from"),
        ("mine/deep/file", "is not from"),
    ],
)
def test_no_file_of_somebody_is_lost(shop: Shop, path: str, said: str) -> None:
    project = shop.project()
    folder = ejected(shop, project)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open("a") as file:
        file.write("# mine\n")
    before = tree(folder)
    with pytest.raises(UsageError, match=said) as raised:
        ejected(shop, project)
    assert raised.value.where == folder / path
    assert raised.value.hint == f"move the folder away first: mv {folder} {folder}.mine"
    assert tree(folder) == before
    folder.rename(f"{folder}.mine")
    assert tree(ejected(shop, project)).keys() <= before.keys()


def test_a_link_is_somebodys_too(shop: Shop, tmp_path: Path) -> None:
    project = shop.project()
    (ejected(shop, project) / "program/link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="is not from"):
        ejected(shop, project)


def test_leftovers_do_not_harm(shop: Shop) -> None:
    project = shop.project()
    folder = ejected(shop, project)
    before = tree(folder)
    (folder.with_name("docker.new")).mkdir()
    (folder.with_name("docker.new") / "left").touch()
    assert tree(ejected(shop, project)) == before


def test_the_files_are_not_those_of_the_project(shop: Shop) -> None:
    folder = ejected(shop, shop.project())
    (folder / "program/predictor.py").write_text("edited")
    assert (shop.root / "predictor.py").read_text() == "class Model: ...\n"


def test_a_folder_with_other_files_is_left_alone(shop: Shop) -> None:
    project = shop.project()
    (shop.root / "build/docker").mkdir(parents=True)
    (shop.root / "build/docker/mine").touch()
    with pytest.raises(UsageError, match="is not from"):
        ejected(shop, project)
    assert (shop.root / "build/docker/mine").exists()


def test_a_line_break_cannot_enter() -> None:
    settings = Settings({"PATH": "", "A": "1\nRUN evil"}, (), (), "/", 1, {})
    with pytest.raises(UsageError, match="line break"):
        render(Recipe("x", "3.11", False, False, "w", settings))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n")))
def test_a_quoted_value_is_what_it_was(value: str) -> None:
    quoted = dockerfile._quoted(value)
    assert quoted[0] == quoted[-1] == '"'
    plain, rest = [], list(quoted[1:-1])
    while rest:
        letter = rest.pop(0)
        assert letter not in '"$'
        plain.append(rest.pop(0) if letter == "\\" else letter)
    assert "".join(plain) == value


def test_the_wheel_can_be_imported_and_never_differs(tmp_path: Path) -> None:
    name, content = server_wheel()
    assert server_wheel() == (name, content)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {path.split("/")[1] for path in archive.namelist() if path.startswith("argosy/")} == set(
            build.SERVER_PARTS
        )
        archive.extractall(tmp_path)
    command = [sys.executable, "-c", "import argosy.serving, argosy; print(argosy.__file__)"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env=environ)
    assert done.stdout.strip() == str(tmp_path / "argosy/__init__.py")


def test_no_wheels_are_no_lines() -> None:
    assert requirements(()) == b""
