"""A wheel that needs a library of the system: refused without it, built with it, and imported in a container."""

from pathlib import Path

import pytest

from tests.scenarios.conftest import docker
from tests.scenarios.running import argosy

BASE = "docker-daemon:python:3.11-slim"
IMAGE = "argosy-scenario/system-packages:latest"
TOML = """[model]
predictor = "predictor:Model"

[image]  # on a Debian without OpenMP
base = "docker-daemon:python:3.11-slim"
dependencies = "requirements.txt"
"""
TRAIN = """
import lightgbm, numpy
data = lightgbm.Dataset(numpy.arange(64.0).reshape(32, 2), numpy.arange(32.0))
print(lightgbm.train({"verbose": -1, "min_data_in_leaf": 2}, data, 1).num_trees())
"""


@pytest.mark.engine
def test_a_library_that_a_wheel_needs_is_found_missing_and_added(tmp_path: Path) -> None:
    """LightGBM's wheel does not bring libgomp.so.1; what is pinned beside it other scenarios have downloaded."""
    (tmp_path / "argosy.toml").write_text(TOML)
    (tmp_path / "predictor.py").write_text("class Model: ...\n")
    (tmp_path / "requirements.txt").write_text("lightgbm==4.6.0\nnumpy==2.4.6\nscipy==1.17.1\n")
    refused = argosy("build", tmp_path, "--output", f"docker-daemon:{IMAGE}")
    assert refused.returncode == 1, refused.stderr
    assert "`libgomp.so.1` is not in the image: " in refused.stderr
    assert 'system_packages = ["libgomp1"] below [image]' in refused.stderr
    assert refused.stdout == ""
    built = argosy("build", tmp_path, "--add-missing", "--output", f"docker-daemon:{IMAGE}")
    assert built.returncode == 0, built.stderr
    try:
        assert 'system_packages = ["libgomp1"]\n' in (tmp_path / "argosy.toml").read_text()
        assert 'name = "libgomp1"\n' in (tmp_path / "debian.argosy.toml").read_text()
        python = ("run", "--rm", "--network", "none", "--entrypoint", "/opt/venv/bin/python", IMAGE, "-c")
        assert docker(*python, TRAIN).strip() == "1"
        status = docker(*python, "print(open('/var/lib/dpkg/status').read())")
        assert "Package: libgomp1\nStatus: install ok installed\n" in status
    finally:
        docker("rmi", "--force", IMAGE)
    again = argosy("build", tmp_path, "--output", f"oci:{tmp_path}/image:latest")
    assert again.stdout == built.stdout
