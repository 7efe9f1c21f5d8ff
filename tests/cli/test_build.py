import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from argosy.image.blobs import BlobStore
from argosy.image.materials.record import FILES
from argosy.registry.layout import read_layout, write_layout
from tests.image.images import image, tree
from tests.image.libraries.programs import program
from tests.image.materials.scanners import stand_in, trivy_answers
from tests.image.web import PackageIndex, serving, uv_environment

TOML = """
[model]
predictor = "predictor:Model"
[image]
base = "oci:{base}"
dependencies = "requirements.txt"
"""


@dataclass(frozen=True)
class Desk:
    """A project, its base image, and an index on loopback with what it needs."""

    project: Path
    index: PackageIndex
    environ: Mapping[str, str]

    def build(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=120, env=self.environ)

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "argosy", "build", *map(str, arguments)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    index = PackageIndex()
    index.add_server()
    index.add("model", "1.0")
    write_layout(image(BlobStore(tmp_path / "base-blobs")), tmp_path / "base", "latest")
    project = tmp_path / "project"
    project.mkdir()
    (project / "argosy.toml").write_text(TOML.format(base=tmp_path / "base"))
    (project / "predictor.py").write_text("class Model: ...\n")
    (project / "requirements.txt").write_text("model\n")
    with serving(index) as url:
        environ = {**os.environ, **uv_environment(url, tmp_path), "ARGOSY_CACHE_DIR": str(tmp_path / "cache")}
        yield Desk(project, index, environ)


def test_the_digest_is_on_stdout_and_the_layers_on_stderr(desk: Desk) -> None:
    done = desk.build(desk.project)
    assert done.returncode == 0, done.stderr
    built = read_layout(desk.project / "build/image", "latest")
    assert done.stdout == f"{built.digest}\n"
    for line in ("dependencies", "server", "predictor"):
        assert any(said.startswith(line) and said.endswith("(made)") for said in done.stderr.splitlines()), done.stderr
    assert f"next: argosy check oci:{desk.project}/build/image:latest" in done.stderr
    again = desk.build(desk.project)
    assert again.stdout == done.stdout
    assert "(made)" not in again.stderr


def test_one_build_goes_to_several_places(desk: Desk, tmp_path: Path) -> None:
    outputs = [f"oci:{tmp_path}/one:a", f"oci:{tmp_path}/one:b", f"docker-archive:{tmp_path}/image.tar:model:1"]
    done = desk.build(desk.project, *(word for output in outputs for word in ("--output", output)))
    assert done.returncode == 0, done.stderr
    assert read_layout(tmp_path / "one", "a").digest == read_layout(tmp_path / "one", "b").digest
    assert (tmp_path / "image.tar").is_file()
    assert [path.name for path in (desk.project / "build").iterdir()] == ["materials"]


def test_the_base_on_the_command_line_wins(desk: Desk, tmp_path: Path) -> None:
    write_layout(image(BlobStore(tmp_path / "x"), config={"author": "other"}), tmp_path / "other", "latest")
    first, second = desk.build(desk.project), desk.build(desk.project, "--base", f"oci:{tmp_path}/other")
    assert second.returncode == 0, second.stderr
    assert first.stdout != second.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--output", "nonsense"], 2, "not a reference to an image"),
        (["--base", "nonsense"], 2, "not a reference to an image"),
        (["--base", "oci:/nowhere"], 1, "not an OCI layout"),
        (["--base", "docker://127.0.0.1:9/x"], 3, "does not answer"),
        (["--output", "oci:/dev/null/layout"], 3, "Not a directory: `/dev/null"),
        (["--output", f"docker-daemon:x@sha256:{'0' * 64}"], 2, "an image cannot be given an id"),
        (["--eject", "--output", "oci:x"], 2, "`--output` means nothing"),
        (["--eject", "--engine", "docker"], 2, "`--engine` means nothing"),
        (["--no-buildkit"], 2, "means nothing without `--eject`"),
        (["--engine", "rkt"], 2, "'rkt' is not one of 'docker', 'podman'"),
        (["--eject", "--scan", "high"], 2, "`--scan` means nothing"),
        (["--scan", "bad"], 2, "'bad' is not one of 'critical', 'high', 'medium', 'low'"),
        (["--eject"], 2, "a Dockerfile can start from an image in a registry or engine only"),
    ],
)
def test_an_error_is_a_sentence_and_a_code(desk: Desk, arguments: list[str], code: int, said: str) -> None:
    done = desk.build(desk.project, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_dependencies_without_a_solution_fail_and_write_nothing(desk: Desk) -> None:
    (desk.project / "requirements.txt").write_text("model>2\n")
    done = desk.build(desk.project)
    assert done.returncode == 1
    assert "no solution" in done.stderr
    assert set(tree(desk.project)) == {"argosy.toml", "predictor.py", "requirements.txt"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "predictor.py",
            "KEY = 'AKIA" + "A1B2" * 4 + "'\nclass Model: ...\n",
            "`/opt/program/predictor.py` holds an AWS",
        ),
        (".env", "TOKEN=abc\n", "file `/opt/program/.env` usually holds secrets"),
        ("environment", "", "variable `API_KEY` holds a secret by its name"),
    ],
)
def test_a_secret_fails_the_build_and_comes_nowhere_until_it_is_allowed(
    desk: Desk, tmp_path: Path, name: str, content: str, said: str
) -> None:
    toml = desk.project / "argosy.toml"
    if name == "environment":
        toml.write_text(toml.read_text() + 'environment = { API_KEY = "s3cr3t" }\n')
    else:
        (desk.project / name).write_text(content)
        toml.write_text(toml.read_text() + f'include = ["*.py", "{name}"]\n')
    refused = desk.build(desk.project)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert said in refused.stderr
    assert "s3cr3t" not in refused.stderr and "A1B2" not in refused.stderr
    assert not (desk.project / "build").exists()
    assert f"{name}: " not in refused.stderr
    allowing = refused.stderr.partition("in argosy.toml:\n")[2]
    toml.write_text(f"{toml.read_text()}\n{allowing}")
    allowed = desk.build(desk.project)
    assert allowed.returncode == 0, allowed.stderr


def test_statements_lie_beside_the_image_and_do_not_change_it(desk: Desk) -> None:
    plain = desk.build(desk.project, "--no-sbom")
    assert [path.name for path in (desk.project / "build").iterdir()] == ["image"]
    done = desk.build(desk.project)
    assert done.stdout == plain.stdout
    folder = desk.project / "build/materials"
    assert {path.name for path in folder.iterdir()} == set(FILES)
    before = tree(folder)
    shutil.rmtree(desk.environ["ARGOSY_CACHE_DIR"])
    assert desk.build(desk.project).stdout == plain.stdout
    assert tree(folder) == before
    assert desk.build(desk.project, "--no-sbom").returncode == 0
    assert not folder.exists()


def test_a_signature_beside_the_statements_stays(desk: Desk) -> None:
    folder = desk.project / "build/materials"
    folder.mkdir(parents=True)
    (folder / "provenance.json.sig").write_text("mine")
    assert desk.build(desk.project).returncode == 0
    assert {path.name for path in folder.iterdir()} == {*FILES, "provenance.json.sig"}
    assert desk.build(desk.project, "--no-sbom").returncode == 0
    assert [path.name for path in folder.iterdir()] == ["provenance.json.sig"]


def test_where_no_statement_can_be_written_nothing_is_built_or_delivered(desk: Desk) -> None:
    (desk.project / "build").mkdir()
    (desk.project / "build/materials").write_text("mine")
    done = desk.build(desk.project)
    assert done.returncode == 1
    assert "is something else: got `materials`" in done.stderr
    assert [path.name for path in (desk.project / "build").iterdir()] == ["materials"]
    assert not (desk.project / "pylock.argosy.toml").exists()


def test_an_image_that_cannot_be_delivered_leaves_the_statements_of_before(desk: Desk) -> None:
    assert desk.build(desk.project).returncode == 0
    before = tree(desk.project / "build/materials")
    (desk.project / "predictor.py").write_text("class Model: pass\n")
    assert desk.build(desk.project, "--output", "oci:/dev/null/layout").returncode == 3
    assert tree(desk.project / "build/materials") == before


@pytest.mark.parametrize(
    ("severity", "code", "said"),
    [("high", 1, "known vulnerabilities: got 1 high, 1 low"), ("critical", 0, "trivy 0.58.1, database of")],
)
def test_a_scan_fails_on_the_severity_that_was_asked_for(
    desk: Desk, tmp_path: Path, severity: str, code: int, said: str
) -> None:
    programs = stand_in(tmp_path / "bin", "trivy", trivy_answers(["HIGH", "LOW"]))
    with_scanner = replace(desk, environ={**desk.environ, "PATH": f"{programs}:{desk.environ['PATH']}"})
    done = with_scanner.build(desk.project, "--scan", severity)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert (desk.project / "build/image").exists() is (code == 0)


def test_an_image_that_was_not_scanned_is_not_called_clean_and_goes_nowhere(desk: Desk, tmp_path: Path) -> None:
    without = replace(desk, environ={**desk.environ, "PATH": str(tmp_path)})
    done = without.build(desk.project, "--scan", "high")
    assert (done.returncode, done.stdout) == (3, "")
    assert "not scanned for vulnerabilities" in done.stderr
    assert not (desk.project / "build").exists()


def test_a_build_that_is_killed_leaves_no_image_and_the_next_is_the_same(desk: Desk, tmp_path: Path) -> None:
    whole = desk.build(desk.project, "--output", f"oci:{tmp_path}/whole")
    assert whole.returncode == 0, whole.stderr
    for delay_ms in (200, 400, 600, 900):
        shutil.rmtree(tmp_path / "cache")
        shutil.rmtree(tmp_path / "layout", ignore_errors=True)
        command = desk.command(desk.project, "--output", f"oci:{tmp_path}/layout")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=desk.environ)
        time.sleep(delay_ms / 1000)  # where the kill falls is the point, not when something is ready
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (tmp_path / "layout/index.json").exists():
            found = read_layout(tmp_path / "layout", None)
            assert found.digest == whole.stdout.strip()
            for layer in found.layers:
                with found.blobs.open(layer.digest) as stream:
                    stream.read()
        again = desk.build(desk.project, "--output", f"oci:{tmp_path}/layout")
        assert (again.returncode, again.stdout) == (0, whole.stdout), again.stderr


def test_builds_at_the_same_time_do_not_hurt_each_other(desk: Desk, tmp_path: Path) -> None:
    running = []
    for number in range(3):
        shutil.copytree(desk.project, tmp_path / f"project-{number}")
        command = desk.command(tmp_path / f"project-{number}", "--output", f"oci:{tmp_path}/layout-{number}")
        running.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=desk.environ)
        )
    digests = set()
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        digests.add(out)
    assert len(digests) == 1


def test_the_ejected_dockerfile_of_debian_starts_from_pythons_slim_image(desk: Desk) -> None:
    done = desk.build(desk.project, "--base", "debian", "--eject")
    assert done.returncode == 0, done.stderr
    assert "FROM docker.io/library/python:3.11-slim AS base\n" in Path(done.stdout.strip()).read_text()
    assert f"next: docker build --platform linux/amd64 --tag project {desk.project}/build/docker" in done.stderr


@pytest.mark.parametrize("output", ["oci:{}/layout", "docker-archive:{}/image.tar"])
def test_a_damaged_layer_of_the_cache_is_told_and_made_again(desk: Desk, tmp_path: Path, output: str) -> None:
    whole = desk.build(desk.project, "--output", f"oci:{tmp_path}/whole")
    (largest, *_) = sorted((tmp_path / "cache/blobs/sha256").iterdir(), key=lambda path: -path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.chmod(0o644)
    largest.write_bytes(content)
    done = desk.build(desk.project, "--output", output.format(tmp_path))
    assert (done.returncode, done.stdout) == (0, whole.stdout), done.stderr
    assert "removed from the cache and made again" in done.stderr
    again = desk.build(desk.project, "--output", output.format(tmp_path))
    assert "(made)" not in again.stderr


def test_a_missing_library_that_nothing_can_add_ends_the_build_and_writes_nothing(desk: Desk) -> None:
    desk.index.add("model", "2.0", files={"model/a.so": program(["libodd.so.1"])})
    before = (desk.project / "argosy.toml").read_text()
    for arguments in ((), ("--add-missing",)):
        done = desk.build(desk.project, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "error: programs in the image lack libraries" in done.stderr
    assert (desk.project / "argosy.toml").read_text() == before
    assert not (desk.project / "build").exists()


def test_sigterm_ends_a_build_and_leaves_nothing_behind(desk: Desk, tmp_path: Path) -> None:
    """The build waits for an index that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        environ = {**desk.environ, "UV_DEFAULT_INDEX": url, "TMPDIR": str(tmp_path / "tmp")}
        (tmp_path / "tmp").mkdir()
        process = subprocess.Popen(desk.command(desk.project), stderr=subprocess.PIPE, text=True, env=environ)
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.endswith("error: interrupted\n")
    assert not list((tmp_path / "tmp").glob("argosy-*"))


def test_an_engine_that_is_not_there_is_told(desk: Desk, tmp_path: Path) -> None:
    done = subprocess.run(
        desk.command(desk.project, "--engine", "podman"),
        capture_output=True, text=True, env={**desk.environ, "PATH": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert "`podman` is not installed" in done.stderr
    assert "leave `--engine` out" in done.stderr


SLIM = ("--base", "docker-daemon:python:3.11-slim", "--engine", "docker")


@pytest.mark.engine
def test_a_build_that_fails_in_the_engine_is_no_fault_of_the_surroundings(desk: Desk) -> None:
    with (desk.project / "argosy.toml").open("a") as file:
        file.write('system_packages = ["no-such-package"]\n')
    done = desk.build(desk.project, *SLIM)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: docker/Dockerfile: `docker build` failed with exit code" in done.stderr
    assert "apt-get" in done.stderr
    assert not (desk.project / "build").exists()
    assert not list((Path(desk.environ["ARGOSY_CACHE_DIR"])).glob(".argosy-*"))


@pytest.mark.engine
def test_an_interrupted_build_of_an_engine_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    """The build is interrupted when the engine has begun."""
    environ = {**desk.environ, "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    command = desk.command(desk.project, *SLIM)
    before = images_of("argosy-build")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)
    assert process.stderr is not None
    for line in process.stderr:
        if "venv --without-pip" in line:
            break
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert said.endswith("error: interrupted\n")
    assert not list((tmp_path / "tmp").iterdir())
    assert not list((Path(desk.environ["ARGOSY_CACHE_DIR"])).glob(".argosy-*"))
    assert not (desk.project / "build").exists()
    assert images_of("argosy-build") <= before


def images_of(name: str) -> set[str]:
    """The tags that Docker knows of a repository."""
    command = ["docker", "images", "--format", "{{.Tag}}", name]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
