import base64
import importlib.metadata
import os
import shutil
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.contract import LABEL_BIND_TO_PORT
from argosy.errors import ArchiveError, ImageError, NetworkError, SecretFoundError
from argosy.image import build
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings
from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.filesystem import read_filesystem
from argosy.image.image import DOCKER_LAYER, DOCKER_MANIFEST, OCI_LAYER, Image
from argosy.image.layers import recipes
from argosy.image.layers.making import LayerReport
from argosy.project import Project, load
from tests.image.conftest import Shop
from tests.image.images import image, tree
from tests.image.web import Answer, Request, serving, wheel
from tests.model_files.saved_models import copied

SITE = "opt/venv/lib/python3.11/site-packages"


@pytest.fixture
def made(shop: Shop) -> "Made":
    return Made(shop)


class Made:
    """Builds of one shop's project, with what was reported of the last one."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.reports: list[LayerReport] = []
        self.base_image = BaseImage(image(BlobStore(shop.root.parent / "base")))

    def __call__(self, project: Project) -> Image:
        self.reports = []
        around = Surroundings(self.shop.cache_dir, self.shop.environ, self.reports.append, self.shop.said.append)
        return build.build(project, self.base_image, around)

    def states(self) -> dict[str, bool]:
        """Layer -> whether the cache had it."""
        return {report.name: report.cached for report in self.reports}


def with_artifacts(project: Project, **files: bytes) -> Project:
    folder = project.root / "model"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Project(project.root, type(project.model)(project.model.predictor, "model"), project.serving, project.image)


def settle(path: Path) -> None:
    """Wait until a file's change time lies far enough back to be trusted; it cannot be set."""
    while time.time_ns() - path.stat().st_ctime_ns <= recipes._SETTLED_NS:
        time.sleep(0.05)


def test_a_secret_in_a_wheel_of_this_machine_fails_the_build_and_in_a_published_one_does_not(made: Made) -> None:
    key = b'KEY = "hf_' + b"aB" * 17 + b'"\n'
    made.shop.index.add("model", "1.0", files={"model/keys.py": key})
    made(made.shop.project("model\n"))
    project = made.shop.project("./mine-1.0-py3-none-any.whl\nmodel\n")
    (project.root / "mine-1.0-py3-none-any.whl").write_bytes(wheel("mine", "1.0", {"mine/keys.py": key}))
    with pytest.raises(SecretFoundError, match=rf"`/{SITE}/mine/keys.py` holds a Hugging Face token") as raised:
        made(project)
    assert "model/keys.py" not in str(raised.value)


def test_an_image_has_everything_in_its_place(made: Made) -> None:
    made.shop.index.add("model", "1.0")
    project = with_artifacts(made.shop.project("model\n", environment={"LOG": "debug"}), weights=b"1234")
    built = made(project)
    files = read_filesystem(built)
    for path in (
        "usr/bin/python3.11",
        f"{SITE}/model/__init__.py",
        f"{SITE}/uvicorn/__init__.py",
        f"{SITE}/argosy/contract.py",
        f"{SITE}/argosy/serving/main.py",
        f"{SITE}/argosy-{importlib.metadata.version('argosy')}.dist-info/METADATA",
    ):
        assert files.resolve(path) is not None, path
    assert files.read("opt/program/predictor.py") == b"class Model: ...\n"
    assert files.read("opt/model/weights") == b"1234"
    python = files.resolve("opt/venv/bin/python")
    assert python is not None
    assert python.path == "usr/bin/python3.11"
    serve = files.get("opt/venv/bin/serve")
    assert serve is not None
    assert serve.mode == 0o755
    assert files.read("opt/venv/bin/serve").startswith(b"#!/opt/venv/bin/python\n")


def test_only_the_servers_half_of_the_package_enters(made: Made) -> None:
    files = read_filesystem(made(made.shop.project()))
    assert files.listing(f"{SITE}/argosy") == sorted(build.SERVER_PARTS)
    assert not [entry.path for entry in files if "__pycache__" in entry.path or entry.path.endswith(".pyc")]


def test_a_saved_model_needs_no_file_of_a_program(made: Made) -> None:
    made.shop.index.add("onnxruntime", "1.32", "protobuf")
    copied("logistic.onnx", made.shop.root, "model/logistic.onnx")
    (made.shop.root / "argosy.toml").write_text('[model]\nartifacts = "model"\n')
    built = made(load(made.shop.root))
    files = read_filesystem(built)
    assert files.listing("opt/program") == []
    assert files.get("opt/model/logistic.onnx") is not None
    assert [name for name in files.listing(SITE) if "onnxruntime" in name or "protobuf" in name] != []
    environment = dict(text.partition("=")[::2] for text in built.runtime["Env"])
    assert environment["ARGOSY_PREDICTOR"] == "argosy.flavors.onnx:OnnxModel"
    assert environment["ARGOSY_FLAVOR_OPTIONS"] == '{"found":"logistic.onnx"}'


def test_the_config_is_what_sagemaker_and_the_server_read(made: Made) -> None:
    project = with_artifacts(made.shop.project(environment={"LOG": "debug"}), weights=b"")
    made.base_image = replace(made.base_image, name="registry.example/base:1")
    built = made(project)
    assert built.media_type == DOCKER_MANIFEST
    assert {layer.media_type for layer in built.layers} == {DOCKER_LAYER}
    runtime = built.runtime
    assert runtime["Entrypoint"] == ["/opt/venv/bin/serve"]
    assert runtime["Cmd"] == ["serve"]
    assert runtime["WorkingDir"] == "/opt/program"
    assert "User" not in runtime
    assert runtime["Labels"] == {
        LABEL_BIND_TO_PORT: "true",
        build.BASE_DIGEST_LABEL: made.base_image.image.digest,
        build.BASE_NAME_LABEL: "registry.example/base:1",
    }
    environment = dict(variable.split("=", 1) for variable in runtime["Env"])
    assert environment == {
        "PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        **project.server_environment(),
        "ARGOSY_PROGRAM_DIR": "/opt/program",
        "ARGOSY_BAKED_MODEL_DIR": "/opt/model",
        "LOG": "debug",
    }
    created_by = [entry["created_by"] for entry in built.config["history"]]
    assert created_by == ["a test", "argosy: server", "argosy: predictor", "argosy: artifacts"]


def test_the_labels_say_what_the_server_can_do(made: Made) -> None:
    project = made.shop.project()
    file = project.root / "argosy.toml"
    file.write_text(f"{file.read_text()}\n[serving]\nbidirectional = true\nmulti_model = true\n")
    assert build.settings(load(project.root), "/bin", {"own": "label"}).labels == {
        "com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true",
        "com.amazonaws.sagemaker.capabilities.bidirectional-streaming": "true",
        "com.amazonaws.sagemaker.capabilities.multi-models": "true",
        "own": "label",
    }


def test_a_label_that_the_dependencies_do_not_keep_is_said(made: Made) -> None:
    made.shop.index.add("wsproto", "1.3")
    for requirements in ("", "wsproto\n"):
        project = made.shop.project(requirements)
        file = project.root / "argosy.toml"
        file.write_text(f"{file.read_text()}\n[serving]\nbidirectional = true\n")
        made.shop.said.clear()
        made(load(project.root))
        assert any("wsproto" in line for line in made.shop.said) is (not requirements)


def test_the_same_project_elsewhere_is_the_same_image(made: Made, tmp_path: Path) -> None:
    made.shop.index.add("model", "1.0")
    project = with_artifacts(made.shop.project("model\n"), weights=b"1")
    first = made(project)
    elsewhere = tmp_path / "else/where"
    shutil.copytree(project.root, elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
    made.shop = replace(made.shop, cache_dir=tmp_path / "another")
    again = made(Project(elsewhere, project.model, project.serving, project.image))
    assert again.manifest_bytes == first.manifest_bytes
    assert set(made.states().values()) == {False}


def test_a_changed_predictor_makes_one_layer_and_asks_nobody(made: Made) -> None:
    made.shop.index.add("model", "1.0")
    project = with_artifacts(made.shop.project("model\n"), weights=b"1")
    settle(project.root / "model/weights")
    first = made(project)
    asked = len(made.shop.index.requests)
    (project.root / "predictor.py").write_text("class Model: changed = True\n")
    second = made(project)
    assert made.states() == {"dependencies": True, "server": True, "predictor": False, "artifacts": True}
    assert len(made.shop.index.requests) == asked
    changed = [one != other for one, other in zip(first.layers, second.layers, strict=True)]
    assert changed == [False, False, False, True, False]


def test_changed_artifacts_are_never_taken_from_the_cache(made: Made) -> None:
    project = with_artifacts(made.shop.project(), weights=b"one")
    settle(project.root / "model/weights")
    first = made(project)
    stamp = (project.root / "model/weights").stat()
    (project.root / "model/weights").write_bytes(b"two")
    os.utime(project.root / "model/weights", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    second = made(project)
    assert read_filesystem(second).read("opt/model/weights") == b"two"
    assert first.digest != second.digest
    (project.root / "model/weights").write_bytes(b"six")  # within the clock's tick, perhaps
    assert read_filesystem(made(project)).read("opt/model/weights") == b"six"


def test_artifacts_with_a_link_are_refused(made: Made) -> None:
    project = with_artifacts(made.shop.project(), weights=b"1")
    (project.root / "model/link").symlink_to("weights")
    with pytest.raises(ArchiveError, match="link"):
        made(project)


def test_artifacts_that_are_not_baked_stay_out(made: Made) -> None:
    project = with_artifacts(made.shop.project(), weights=b"1")
    built = made(
        Project(
            project.root, type(project.model)(project.model.predictor, "model", False), project.serving, project.image
        )
    )
    assert read_filesystem(built).get("opt/model") is None
    assert not [variable for variable in built.runtime["Env"] if variable.startswith("ARGOSY_BAKED_MODEL_DIR")]


def test_a_plain_tar_base_becomes_gzip(made: Made, tmp_path: Path) -> None:
    plain = image(BlobStore(tmp_path / "plain"), compressed=False, layer_type=OCI_LAYER)
    made.base_image = BaseImage(plain)
    built = made(made.shop.project())
    assert {layer.media_type for layer in built.layers} == {DOCKER_LAYER}
    assert read_filesystem(built).resolve("usr/bin/python3.11") is not None


def test_a_base_with_another_python_is_an_error(made: Made) -> None:
    with pytest.raises(ImageError, match="another Python"):
        made(made.shop.project(python="3.12"))


def test_a_download_that_is_not_what_the_lock_says_stops_the_build(made: Made) -> None:
    made.shop.index.add("model", "1.0")
    project = made.shop.project("model\n")
    made(project)
    made.shop.index.files["model"]["model-1.0-py3-none-any.whl"] = wheel("model", "1.0", {"evil.py": b""})
    shutil.rmtree(made.shop.cache_dir)
    with pytest.raises(ImageError, match="not what its lock says"):
        made(project)
    stored = tree(made.shop.cache_dir)
    assert not [path for path in stored if path.startswith("blobs/")]


def test_clashing_wheels_are_told(made: Made) -> None:
    for name in ("one", "two"):
        made.shop.index.add(name, "1", files={"tests/__init__.py": name.encode()})
    files = read_filesystem(made(made.shop.project("one\ntwo\n")))
    assert files.read(f"{SITE}/tests/__init__.py") == b"two"
    assert [said for said in made.shop.said if "tests/__init__.py" in said]
    made.shop.said.clear()
    made(made.shop.project("one\ntwo\n"))
    assert made.states()["dependencies"]
    assert [said for said in made.shop.said if "tests/__init__.py" in said]


def test_layers_do_not_overlap(made: Made) -> None:
    """A path is in one of our layers only, but for the folders on the way to it."""
    made.shop.index.add("model", "1.0")
    built = made(with_artifacts(made.shop.project("model\n"), weights=b"1"))
    seen: set[str] = set()
    for layer in built.layers[1:]:
        with built.blobs.open(layer.digest) as blob, tarfile.open(fileobj=blob, mode="r|gz") as archive:
            paths = {member.name for member in archive if not member.isdir()}
        assert not paths & seen
        seen |= paths


@pytest.mark.parametrize("place", ["variable", "named variable", "requirements"])
def test_a_private_index_gives_its_files_to_whom_its_url_names(made: Made, place: str) -> None:
    made.shop.index.add("model", "1.0")
    secret = "Basic " + base64.b64encode(b"me:pa ss").decode()

    def private(request: Request) -> Answer:
        allowed = request.headers.get("Authorization") == secret
        return made.shop.index(request) if allowed else Answer(401, headers={"WWW-Authenticate": "Basic realm=x"})

    with serving(private) as url:
        index = f"{url.replace('http://', 'http://me:pa%20ss@')}/simple"
        where = {"variable": "UV_DEFAULT_INDEX", "named variable": "UV_INDEX"}.get(place)
        named = {where: f"own={index}" if where == "UV_INDEX" else index} if where else {}
        made.shop = replace(made.shop, environ={**made.shop.environ, **named})
        requirements = f"--index-url {index}\nmodel\n" if place == "requirements" else "model\n"
        built = made(made.shop.project(requirements))
    assert read_filesystem(built).get(f"{SITE}/model/__init__.py") is not None
    kept = {**tree(made.shop.cache_dir), LOCK_NAME: (made.shop.root / LOCK_NAME).read_bytes()}
    assert not [
        path for path, content in kept.items() if b"pa%20ss" in (content if isinstance(content, bytes) else b"")
    ]
    assert "pa%20ss" not in "".join(made.shop.said)


@pytest.mark.parametrize("program", ["uv", "python-httpx"])
def test_an_index_that_wants_to_know_who_asks_is_said(made: Made, program: str) -> None:
    made.shop.index.add("model", "1.0")

    def private(request: Request) -> Answer:
        asks = request.headers.get("User-Agent", "").startswith(program)
        return Answer(401) if asks and request.path.startswith("/files/") else made.shop.index(request)

    with serving(private) as url:
        made.shop = replace(made.shop, environ={**made.shop.environ, "UV_DEFAULT_INDEX": f"{url}/simple"})
        with pytest.raises(NetworkError, match="401") as caught:
            made(made.shop.project("model\n"))
    assert "USER:PASSWORD" in str(caught.value.hint)
