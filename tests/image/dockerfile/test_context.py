import os
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.errors import SecretFoundError, UsageError
from argosy.image import build
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.dockerfile.context import Ejection, Foundation, eject
from argosy.image.dockerfile.locked_files import Downloads
from argosy.image.dockerfile.server_wheel import server_wheel
from argosy.image.interpreter import Interpreter
from argosy.project import Project
from tests.image.conftest import Shop
from tests.image.images import image, tree

DIGEST = f"sha256:{'0' * 64}"


def ejection(shop: Shop, project: Project) -> Ejection:
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, shop.said.append)
    parts = build.plan(project, Interpreter("/usr/local/bin/python3.11", "3.11"), around)
    downloads = Downloads(BlobStore(shop.cache_dir / "downloads"), {}, shop.said.append)
    return Ejection(project, Foundation("python:3.11-slim"), parts, downloads)


def ejected(shop: Shop, project: Project) -> Path:
    eject(ejection(shop, project), shop.root / "build/docker")
    return shop.root / "build/docker"


def test_the_folder_has_all_that_the_build_needs(shop: Shop) -> None:
    shop.index.add("model", "1.0")
    folder = ejected(shop, shop.project("model\n"))
    (shop.root / "run.py").touch()
    wheel_name = server_wheel()[0]
    assert set(tree(folder)) == {
        ".dockerignore", ".ejected", "Dockerfile", "dependencies/files.html", "dependencies/requirements.txt",
        "program/predictor.py", "server/files.html", "server/requirements.txt", f"server/files/{wheel_name}"
    }  # fmt: skip
    (line,) = (folder / "dependencies/requirements.txt").read_text().splitlines()
    assert line.startswith("model==1.0 --hash=sha256:")
    assert len((folder / "server/requirements.txt").read_text().splitlines()) == 7
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


def test_the_folders_are_open_to_everybody_in_the_image(shop: Shop) -> None:
    (shop.root / "sub").mkdir(parents=True)
    (shop.root / "sub/module.py").touch()
    before = os.umask(0o077)
    try:
        folder = ejected(shop, shop.project())
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.name != ".ejected"}
    assert {mode for name, mode in modes.items() if (folder / name).is_dir() or name == "sub"} == {0o755}
    assert modes["requirements.txt"] == modes["module.py"] == 0o644


def test_what_is_compiled_has_a_folder_of_its_own(shop: Shop) -> None:
    made = ejection(shop, shop.project())
    source = WheelFile("native", "1.0", "native-1.0.tar.gz", "https://index.test/native-1.0.tar.gz", DIGEST, None)
    made = replace(made, parts=replace(made.parts, sources=(source,)))
    eject(made, shop.root / "build/docker")
    assert (shop.root / "build/docker/sources/requirements.txt").read_text() == f"native==1.0 --hash={DIGEST}\n"
    assert "pip wheel" in (shop.root / "build/docker/Dockerfile").read_text()


def test_the_engine_is_lent_passwords_only_when_one_is_needed(shop: Shop) -> None:
    made = ejection(shop, shop.project())
    assert not made.needs_login
    asked = replace(made, downloads=replace(made.downloads, credentials={shop.url: ("me", "geheim")}))
    assert asked.needs_login
    assert not replace(asked, has_buildkit=False).needs_login
    eject(asked, shop.root / "build/docker")
    assert not any(b"geheim" in content for content in tree(shop.root / "build/docker").values())
    assert "--mount=type=secret,id=netrc" in (shop.root / "build/docker/Dockerfile").read_text()


@pytest.mark.parametrize(
    ("config", "said", "unsaid"),
    [
        ({"User": "nobody"}, "USER 0", "HEALTHCHECK"),
        ({"User": "root"}, "ENTRYPOINT", "USER"),
        ({"Healthcheck": {"Test": ["NONE"]}}, "HEALTHCHECK NONE", "STOPSIGNAL"),
        ({"StopSignal": "SIGINT"}, "STOPSIGNAL SIGTERM", "USER"),
    ],
)
def test_what_the_base_sets_against_sagemaker_is_taken_back(
    shop: Shop, config: dict[str, object], said: str, unsaid: str
) -> None:
    base = BaseImage(image(BlobStore(shop.cache_dir / "blobs"), config={"config": config}), "registry.test/base:1")
    made = replace(ejection(shop, shop.project()), foundation=Foundation("registry.test/base:1", base))
    eject(made, shop.root / "build/docker")
    written = (shop.root / "build/docker/Dockerfile").read_text()
    assert said in written
    assert unsaid not in written
    assert 'org.opencontainers.image.base.name="registry.test/base:1"' in written
    assert f'org.opencontainers.image.base.digest="{base.image.digest}"' in written


def test_a_secret_does_not_even_enter_the_folder(shop: Shop) -> None:
    project = shop.project()
    key = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n"
    (shop.root / "predictor.py").write_text(f'class Model: key = """{key}"""\n')
    with pytest.raises(SecretFoundError, match=r"opt/program/predictor\.py"):
        ejected(shop, project)
    assert not (shop.root / "build").exists()
