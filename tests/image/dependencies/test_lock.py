import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from argosy.errors import NetworkError, ResolutionError
from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.dependencies.lock import lock, server_requirements
from argosy.image.dependencies.lock_file import Locked, LockedPackage
from tests.image.conftest import Shop
from tests.image.dependencies.sources import files, sdist
from tests.image.web import ignore

SERVER = {"click", "h11", "httptools", "orjson", "uvicorn", "uvloop"}


def names(packages: Iterable[LockedPackage]) -> set[str]:
    return {package.distribution for package in packages}


def versions(locked: Locked) -> dict[str, str | None]:
    return {package.distribution: package.version for package in (*locked.dependencies, *locked.server)}


def locked(shop: Shop, requirements: str | None, python: str = "3.11") -> Locked:
    return lock(shop.project(requirements), python, shop.environ, shop.said.append)


def test_what_the_user_needs_and_what_only_the_server_needs_are_apart(shop: Shop) -> None:
    shop.index.add("model", "1.0", "click>=8")
    found = locked(shop, "model\n")
    assert names(found.dependencies) == {"model", "click"}
    assert names(found.server) == SERVER - {"click"}
    (wheels,) = [package.wheels for package in found.dependencies if package.distribution == "model"]
    assert wheels[0].filename == "model-1.0-py3-none-any.whl"
    assert wheels[0].url == f"{shop.url}/files/model/model-1.0-py3-none-any.whl"
    assert found.fresh


def test_without_requirements_there_is_the_server_alone(shop: Shop) -> None:
    found = locked(shop, None)
    assert (names(found.dependencies), names(found.server)) == (set(), SERVER)


def test_user_and_server_are_resolved_together(shop: Shop) -> None:
    shop.index.add("click", "9.0")
    assert versions(locked(shop, "click<9\n"))["click"] == "8.5"
    shop.index.add("old", "1", "click<7")
    shop.index.add("click", "6.0")
    with pytest.raises(ResolutionError, match="no solution") as raised:
        locked(shop, "old\n")
    assert "click" in str(raised.value.got)


def test_an_unchanged_project_asks_nobody(shop: Shop) -> None:
    shop.index.add("model", "1.0")
    first = locked(shop, "model\n")
    asked, text = len(shop.index.requests), (shop.root / LOCK_NAME).read_text()
    shop.index.add("model", "2.0")
    second = locked(shop, "model\n")
    assert (second.dependencies, second.server, second.fresh) == (first.dependencies, first.server, False)
    assert len(shop.index.requests) == asked
    assert (shop.root / LOCK_NAME).read_text() == text
    assert shop.said == ["locking the dependencies for linux/amd64 and Python 3.11"]


def test_a_changed_requirement_changes_only_what_it_must(shop: Shop) -> None:
    shop.index.add("model", "1.0")
    shop.index.add("other", "1.0")
    locked(shop, "model\n")
    shop.index.add("model", "2.0")
    found = versions(locked(shop, "model\nother\n"))
    assert (found["model"], found["other"]) == ("1.0", "1.0")
    assert versions(locked(shop, "model>1\nother\n"))["model"] == "2.0"


def test_included_files_and_the_python_count_as_inputs(shop: Shop) -> None:
    shop.index.add("model", "1.0")
    shop.index.add("other", "1.0")
    shop.root.mkdir()
    (shop.root / "more.txt").write_text("model\n-r requirements.txt\n")
    assert locked(shop, "-r more.txt\n").fresh
    assert not locked(shop, "-r more.txt\n").fresh
    assert locked(shop, "-r more.txt\n", "3.12").fresh
    (shop.root / "more.txt").write_text("other\n")
    assert names(locked(shop, "-r more.txt\n").dependencies) == {"other"}


def test_the_lock_is_a_pylock_that_says_what_it_is_for(shop: Shop) -> None:
    shop.index.add("model", "1.0")
    locked(shop, "model\n")
    table = tomllib.loads((shop.root / LOCK_NAME).read_text())
    assert table["lock-version"] == "1.0"
    assert set(table["tool"]) == {"argosy"}
    settings = table["tool"]["argosy"]
    assert settings["inputs"].startswith("sha256:")
    assert settings["python"] == "3.11"
    assert settings["server-requirements"] == server_requirements()
    assert set(settings["server"]) == SERVER


def test_a_release_without_a_wheel_is_an_error_with_a_way_out(shop: Shop) -> None:
    broken = {**files("source", "1.0", is_static=False), "backend.py": b"raise SystemExit('this source is broken')"}
    shop.index.add_file("source", "source-1.0.tar.gz", sdist("source", "1.0", broken))
    with pytest.raises(ResolutionError, match="a dependency has only its source") as raised:
        locked(shop, "source\n")
    assert "pip wheel" in str(raised.value.hint)
    assert not (shop.root / LOCK_NAME).exists()


@pytest.mark.parametrize("tag", ["cp311-cp311-win_amd64", "cp312-cp312-manylinux_2_17_x86_64"])
def test_wheels_for_other_platforms_do_not_count(shop: Shop, tag: str) -> None:
    shop.index.add("native", "1.0")
    content = shop.index.files["native"].pop("native-1.0-py3-none-any.whl")
    shop.index.add_file("native", f"native-1.0-{tag}.whl", content)
    with pytest.raises(ResolutionError):
        locked(shop, "native\n")


def test_markers_are_those_of_the_image_and_not_of_the_host(shop: Shop) -> None:
    shop.index.add("linux", "1.0")
    shop.index.add("old", "1.0")
    lines = ['linux; sys_platform == "linux"', 'old; python_version < "3.11"', 'none; sys_platform == "win32"', ""]
    found = locked(shop, "\n".join(lines))
    assert names(found.dependencies) == {"linux"}


def test_the_servers_own_name_is_no_dependency(shop: Shop) -> None:
    shop.index.add("argosy", "9")
    with pytest.raises(ResolutionError, match="`argosy` is among the dependencies"):
        locked(shop, "argosy\n")


def test_an_index_that_does_not_answer_is_the_networks_fault(shop: Shop) -> None:
    environ = {**shop.environ, "UV_DEFAULT_INDEX": "http://user:secret@127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    with pytest.raises(NetworkError) as raised:
        lock(shop.project("model\n"), "3.11", environ, ignore)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("text", ["not toml [", "\xff"])
def test_a_broken_lock_is_an_error_that_says_how_to_go_on(shop: Shop, text: str) -> None:
    project = shop.project(None)
    (shop.root / LOCK_NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(ResolutionError, match="not a TOML file") as raised:
        lock(project, "3.11", shop.environ, ignore)
    assert str(shop.root / LOCK_NAME) in str(raised.value.hint)


def test_requirements_that_cannot_be_read_are_an_error(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(ResolutionError, match="cannot be read"):
        locked(shop, "-r gone.txt\n")
    assert list(tmp_path.glob("project/.*")) == []


def test_a_conflict_with_the_server_is_told_apart_from_one_within_the_dependencies(shop: Shop) -> None:
    shop.index.add("click", "6.0")
    with pytest.raises(ResolutionError, match="no solution together with the server") as raised:
        locked(shop, "click==6.0\n")
    assert "uvicorn" in str(raised.value.want)
    shop.index.add("model", "1.0", "click>=8")
    with pytest.raises(ResolutionError, match="no solution for Python"):
        locked(shop, "click==6.0\nmodel\n")


def test_a_build_that_keeps_its_lock_makes_none(shop: Shop) -> None:
    with pytest.raises(ResolutionError, match="not up to date: got there is no lock") as raised:
        lock(shop.project(None), "3.11", shop.environ, ignore, may_write=False)
    assert raised.value.hint == f"argosy lock {shop.root}"
    assert shop.index.requests == []


def test_a_distribution_with_wheels_for_an_older_version_only_is_not_built(shop: Shop) -> None:
    shop.index.add("model", "1.0")
    shop.index.add_file("model", "model-2.0.tar.gz", sdist("model", "2.0", files("model", "2.0")))
    assert versions(locked(shop, "model\n"))["model"] == "1.0"
    (model,) = locked(shop, "model>1\n").dependencies
    assert (model.version, model.wheels) == ("2.0", ())
