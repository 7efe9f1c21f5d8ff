import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = {
    "argosy.toml": '[model]\npredictor = "predictor:Model"\nartifacts = "model/"\n',
    "predictor.py": "class Model: ...\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "model").mkdir(parents=True)
    (root / "model/weights").write_bytes(b"1")
    for name, text in PROJECT.items():
        (root / name).write_text(text)
    return root


def pack(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "argosy", "pack", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd)


def test_the_digest_is_on_stdout_and_the_rest_on_stderr(project: Path, tmp_path: Path) -> None:
    done = pack(project, "--output", tmp_path / "model.tar.gz")
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256((tmp_path / "model.tar.gz").read_bytes()).hexdigest()
    assert done.stdout == f"sha256:{digest}\n"
    assert f"wrote {tmp_path}/model.tar.gz" in done.stderr


def test_the_archive_lies_in_the_projects_build_folder_by_default(project: Path) -> None:
    assert pack(cwd=project).returncode == 0
    assert (project / "build/model.tar.gz").is_file()


def test_what_the_model_may_stumble_over_is_told(project: Path, tmp_path: Path) -> None:
    (project / "model/top").mkdir()
    (project / "model/weights").rename(project / "model/top/weights")
    done = pack(project, "--output", tmp_path / "model.tar.gz")
    assert done.returncode == 0
    assert "SHOULD: top: everything lies in one extra top folder" in done.stderr


def test_a_name_that_sagemaker_refuses_is_told(project: Path, tmp_path: Path) -> None:
    done = pack(project, "--output", tmp_path / "model.zip")
    assert done.returncode == 2
    assert "want a name that ends in .tar.gz" in done.stderr
    assert not (tmp_path / "model.zip").exists()


def test_a_full_disk_is_said_with_the_file_that_did_not_fit(project: Path, tmp_path: Path) -> None:
    (project / "model/weights").write_bytes(os.urandom(1_000_000))
    command = [sys.executable, "-m", "argosy", "pack", str(project), "--output", str(tmp_path / "out/model.tar.gz")]
    # No file of this process may grow beyond 64 KiB: the nearest to a full disk that needs no disk of its own.
    done = subprocess.run(["prlimit", "--fsize=65536", *command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert done.stderr == f"error: File too large: `{tmp_path}/out/model.tar.gz`\n"
    assert not list((tmp_path / "out").iterdir())


def test_a_link_fails_and_leaves_nothing(project: Path, tmp_path: Path) -> None:
    (project / "model/link").symlink_to("weights")
    done = pack(project, "--output", tmp_path / "out/model.tar.gz")
    assert done.returncode == 1
    assert "a symbolic link" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_project_without_artifacts_says_how_to_name_them(project: Path) -> None:
    (project / "argosy.toml").write_text('[model]\npredictor = "predictor:Model"\n')
    done = pack(project)
    assert done.returncode == 2
    assert 'artifacts = "model/"' in done.stderr
