import json
import sys
from pathlib import Path

import pytest

from argosy.errors import ProjectError, ResolutionError
from argosy.image.dependencies.inputs import Kind, fingerprint, read_inputs
from argosy.image.dependencies.lock import lock
from argosy.image.dependencies.lock_file import Locked
from argosy.image.dependencies.uv_command import Uv
from argosy.image.image import digest_of
from argosy.project import Project
from tests.image.conftest import Shop
from tests.image.dependencies.sources import files, write
from tests.image.web import ignore, wheel

PYPROJECT = """
[project]
name = "p"
version = "0"
requires-python = ">=3.11"
dependencies = ["model"]
[project.optional-dependencies]
fast = ["quick; sys_platform == 'linux'", "slow; sys_platform != 'linux'"]
[dependency-groups]
serve = ["other"]
dev = ["unwanted"]
"""


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    for name in ("model", "quick", "slow", "other", "unwanted"):
        shop.index.add(name, "1.0")
    shop.root.mkdir()
    return shop


def locked(shop: Shop, *dependencies: str) -> dict[str, str | None]:
    """Version by distribution of what the user's inputs bring in."""
    return {package.distribution: package.version for package in lock_of(shop, *dependencies).dependencies}


def lock_of(shop: Shop, *dependencies: str) -> Locked:
    project = shop.project(dependencies=dependencies)
    return lock(project, "3.11", shop.environ, ignore)


def newer(shop: Shop) -> None:
    for name in ("model", "quick", "other"):
        shop.index.add(name, "2.0")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("pyproject.toml", {"model"}),
        ("pyproject.toml[fast]", {"model", "quick"}),
        ("pyproject.toml[serve]", {"model", "other"}),
        ("pyproject.toml[fast, serve]", {"model", "other", "quick"}),
    ],
)
def test_a_pyproject_gives_its_dependencies_extras_and_groups(stocked: Shop, entry: str, found: set[str]) -> None:
    (stocked.root / "pyproject.toml").write_text(PYPROJECT)
    assert set(locked(stocked, entry)) == found


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ('[project]\nname = "p"\ndynamic = ["version", "dependencies"]', "`dynamic` has dependencies"),
        ('[project]\nname = "p"\ndynamic = ["optional-dependencies"]', "`dynamic` has optional-dependencies"),
        ('[tool.poetry]\nname = "p"\n[tool.poetry.dependencies]\nmodel = "*"', "no table [project]"),
    ],
)
def test_a_pyproject_that_leaves_its_dependencies_to_its_backend_is_refused(stocked: Shop, text: str, got: str) -> None:
    write(stocked.root / "mine", {"pyproject.toml": text.encode()})
    with pytest.raises(ProjectError, match="known only to its build backend") as raised:
        read_inputs(stocked.project(dependencies=["mine/pyproject.toml"]))
    assert raised.value.got == got
    assert raised.value.hint is not None
    assert ': "mine"; or a requirements file' in raised.value.hint
    (given,) = read_inputs(stocked.project(dependencies=["mine"]))
    assert given.kind is Kind.PACKAGE


def test_a_pyproject_whose_version_alone_is_dynamic_gives_its_dependencies(stocked: Shop) -> None:
    (stocked.root / "pyproject.toml").write_text(PYPROJECT.replace('version = "0"', 'dynamic = ["version"]'))
    assert set(locked(stocked, "pyproject.toml")) == {"model"}


def uv_lock(shop: Shop) -> None:
    (shop.root / "pyproject.toml").write_text(PYPROJECT)
    done = Uv(shop.root, shop.environ).run("lock", "--python", sys.executable)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("entry", "found"), [("uv.lock", {"model"}), ("uv.lock[fast,serve]", {"model", "other", "quick"})]
)
def test_a_uv_lock_keeps_its_versions(stocked: Shop, entry: str, found: set[str]) -> None:
    uv_lock(stocked)
    newer(stocked)
    assert locked(stocked, entry) == dict.fromkeys(found, "1.0")


def pylock(shop: Shop, name: str = "pylock.toml", **replaced: str) -> Path:
    hashes = {
        package: digest_of(shop.index.files[package][f"{package}-1.0-py3-none-any.whl"]).removeprefix("sha256:")
        for package in ("model", "quick", "slow")
    }
    lines = ['lock-version = "1.0"', 'created-by = "a test"', 'extras = ["fast"]']
    markers = {"model": "", "quick": "'fast' in extras", "slow": "sys_platform == 'darwin'"}
    for package, marker in markers.items():
        wheel = f"{package}-1.0-py3-none-any.whl"
        entry = {"url": f"{shop.url}/files/{package}/{wheel}", "sha256": hashes[package], **replaced}
        lines += ["[[packages]]", f'name = "{package}"', 'version = "1.0"']
        lines += [f'marker = "{marker}"'] if marker else []
        lines += [f'wheels = [{{ url = "{entry["url"]}", hashes = {{ sha256 = "{entry["sha256"]}" }} }}]']
    path = shop.root / name
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("entry", "found"),
    [("pylock.toml", {"model"}), ("pylock.toml[fast]", {"model", "quick"}), ("pylock.gpu.toml", {"model"})],
)
def test_a_pylock_keeps_its_versions_and_its_markers_are_those_of_the_image(
    stocked: Shop, entry: str, found: set[str]
) -> None:
    pylock(stocked, entry.partition("[")[0])
    newer(stocked)
    assert locked(stocked, entry) == dict.fromkeys(found, "1.0")


def test_a_file_that_is_not_what_a_pylock_says_is_refused(stocked: Shop) -> None:
    pylock(stocked, sha256="0" * 64)
    with pytest.raises(ResolutionError, match=r"no file of `model` 1\.0 has a hash|[Hh]ash mismatch"):
        locked(stocked, "pylock.toml")


def test_hashes_of_a_requirements_file_are_kept_to(stocked: Shop) -> None:
    right = digest_of(stocked.index.files["model"]["model-1.0-py3-none-any.whl"])
    (stocked.root / "r.txt").write_text(f"model==1.0 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash={right}\n")
    assert locked(stocked, "r.txt") == {"model": "1.0"}
    (stocked.root / "r.txt").write_text(f"model==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ResolutionError, match=r"no file of `model` 1\.0 has a hash") as raised:
        locked(stocked, "r.txt")
    assert right in str(raised.value.got)


def test_of_a_folder_of_wheels_the_newest_that_fits_is_taken_and_no_index_is_asked_for_it(stocked: Shop) -> None:
    folder = stocked.root / "wheels"
    folder.mkdir()
    for version, tag in (("1", "py3-none-any"), ("2", "cp311-cp311-linux_x86_64"), ("3", "cp312-cp312-win_amd64")):
        (folder / f"mine-{version}-{tag}.whl").write_bytes(wheel("mine", version, {}, ("model",)))
    stocked.index.add("mine", "9")
    found = lock_of(stocked, "wheels")
    assert {package.distribution: package.version for package in found.dependencies} == {"mine": "2", "model": "1.0"}
    (mine,) = [package for package in found.dependencies if package.distribution == "mine"]
    assert [path.name for path in mine.paths.values()] == ["mine-2-cp311-cp311-linux_x86_64.whl"]
    assert "/simple/mine/" not in stocked.index.requests
    text = (stocked.root / "pylock.argosy.toml").read_text()
    assert 'path = "wheels/mine-2-cp311-cp311-linux_x86_64.whl"' in text
    assert str(stocked.root) not in text


def test_wheels_that_do_not_fit_are_an_error_that_names_them(stocked: Shop) -> None:
    (stocked.root / "mine-3-cp312-cp312-win_amd64.whl").write_bytes(wheel("mine", "3", {}))
    with pytest.raises(ResolutionError, match="win_amd64"):
        locked(stocked, "mine-3-cp312-cp312-win_amd64.whl")


def test_a_folder_that_requirements_name_with_find_links_has_candidates(stocked: Shop) -> None:
    (stocked.root / "wheels").mkdir()
    for name in ("mine", "unwanted"):
        (stocked.root / f"wheels/{name}-1-py3-none-any.whl").write_bytes(wheel(name, "1", {}))
    (stocked.root / "r.txt").write_text("--find-links wheels\nmine\n")
    assert locked(stocked, "r.txt") == {"mine": "1"}


@pytest.mark.parametrize("line", ["./mine", "-e ./mine", None])
def test_a_package_on_this_machine_brings_its_dependencies(stocked: Shop, line: str | None) -> None:
    write(stocked.root / "mine", files("mine", "1", "model", 'slow; sys_platform == "darwin"'))
    (stocked.root / "r.txt").write_text(f"{line}\n")
    found = lock_of(stocked, "mine" if line is None else "r.txt")
    assert {package.distribution for package in found.dependencies} == {"mine", "model"}
    assert 'directory = { path = "mine" }' in (stocked.root / "pylock.argosy.toml").read_text()


def test_several_inputs_become_one_lock(stocked: Shop) -> None:
    pylock(stocked)
    (stocked.root / "r.txt").write_text("other\n")
    newer(stocked)
    write(stocked.root / "mine", files("mine", "1"))
    assert locked(stocked, "r.txt", "pylock.toml", "mine") == {"other": "2.0", "model": "1.0", "mine": None}


def test_code_of_a_package_changes_no_lock_and_its_requirements_do(stocked: Shop) -> None:
    write(stocked.root / "mine", files("mine", "1", "model"))
    assert lock_of(stocked, "mine").fresh
    (stocked.root / "mine/src/mine/__init__.py").write_text("changed = True\n")
    assert not lock_of(stocked, "mine").fresh
    write(stocked.root / "mine", files("mine", "1", "other"))
    assert set(locked(stocked, "mine")) == {"mine", "other"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("empty", "a folder with no dependencies in it"),
        ("pylock.argosy.toml", "names the lock that is made of it"),
        ("pyproject.toml[fats]", "an extra or dependency group that is not there: got `fats`, want fast, serve, dev"),
        ("r.txt[fast]", "none: a requirements file has no extras"),
    ],
)
def test_an_entry_that_means_nothing_is_an_error(stocked: Shop, entry: str, said: str) -> None:
    (stocked.root / "empty").mkdir()
    for name in ("pylock.argosy.toml", "r.txt"):
        (stocked.root / name).write_text("")
    (stocked.root / "pyproject.toml").write_text(PYPROJECT)
    with pytest.raises(ProjectError) as raised:
        read_inputs(stocked.project(dependencies=[entry]))
    assert said in str(raised.value)


@pytest.mark.parametrize("text", ["x = ", 'lock-version = "9"', 'lock-version = "1.0"\ncreated-by = 1'])
def test_a_broken_pylock_is_an_error(stocked: Shop, text: str) -> None:
    (stocked.root / "pylock.toml").write_text(text)
    with pytest.raises(ResolutionError) as raised:
        locked(stocked, "pylock.toml")
    assert "pylock.toml" in str(raised.value.where)


def test_a_commit_is_no_file_that_can_be_checked(stocked: Shop) -> None:
    vcs = '[[packages]]\nname = "x"\nvcs = { type = "git", url = "https://me:secret@host/x", commit-id = "1" }\n'
    (stocked.root / "pylock.toml").write_text(f'lock-version = "1.0"\ncreated-by = "x"\n{vcs}')
    with pytest.raises(ResolutionError, match="comes from version control") as raised:
        locked(stocked, "pylock.toml")
    assert "git clone https://host/x vendor/x" in str(raised.value.hint)


def test_what_the_lock_is_made_of_is_the_same_on_any_machine_and_has_no_password(stocked: Shop, tmp_path: Path) -> None:
    prints = []
    for root, password in ((stocked.root, "one"), (tmp_path / "elsewhere", "two")):
        write(root / "mine", files("mine", "1"))
        (root / "r.txt").write_text(f"-i https://me:{password}@host/simple\nmodel\n")
        (root / "pyproject.toml").write_text(PYPROJECT)
        inputs = read_inputs(stocked_at(stocked, root))
        prints.append(json.dumps(fingerprint(inputs, root)))
        assert [given.kind for given in inputs] == [Kind.REQUIREMENTS, Kind.PACKAGE, Kind.PYPROJECT]
    assert prints[0] == prints[1]


def stocked_at(shop: Shop, root: Path) -> Project:
    return Shop(shop.index, shop.url, root, shop.environ, shop.cache_dir, shop.said).project(
        dependencies=["r.txt", "mine", "pyproject.toml"]
    )
