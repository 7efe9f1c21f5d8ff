import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from argosy.image import build
from argosy.image.dockerfile.server_wheel import server_wheel


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
