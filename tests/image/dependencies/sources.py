"""Sources of packages with a build backend of their own, so that building them needs nothing from an index."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

_BACKEND = """
import pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "{name}-{version}-{tag}.whl"
    dist_info = "{name}-{version}.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as archive:
        for path in pathlib.Path("src").rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to("src"))
        archive.writestr(f"{{dist_info}}/METADATA", {metadata!r})
        archive.writestr(f"{{dist_info}}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {tag}\\n")
        archive.writestr(f"{{dist_info}}/RECORD", "")
    return name
"""
_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
{fields}
"""


def files(
    name: str, version: str, *requires: str, tag: str = "py3-none-any", is_static: bool = True
) -> dict[str, bytes]:
    """The files of a package, whose one module is its name.

    Args:
        name: Its name.
        version: Its version.
        requires: What it needs.
        tag: Of the wheel that its backend makes.
        is_static: Whether its pyproject.toml says version and requirements, or only its backend.
    """
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {r}" for r in requires)]
    text = "\n".join([*metadata, ""])
    fields = (
        f'version = "{version}"\ndependencies = {[*requires]}' if is_static else 'dynamic = ["version", "dependencies"]'
    )
    return {
        "pyproject.toml": _PROJECT.format(name=name, fields=fields).encode(),
        "backend.py": _BACKEND.format(name=name, version=version, tag=tag, metadata=text).encode(),
        "PKG-INFO": text.encode(),
        f"src/{name}/__init__.py": f"v = {version!r}\n".encode(),
    }


def sdist(name: str, version: str, content: Mapping[str, bytes]) -> bytes:
    """A source archive of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in content.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


def write(folder: Path, content: Mapping[str, bytes]) -> Path:
    """Write files into a folder."""
    for path, text in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    return folder
