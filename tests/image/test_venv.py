from contextlib import ExitStack
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.interpreter import Interpreter
from argosy.image.venv import Unpacked, script, skeleton, unpack_wheels
from tests.image.web import wheel

SITE = "opt/venv/lib/python3.11/site-packages"


def named(filename: str, distribution: str = "numpy") -> WheelFile:
    return WheelFile(distribution, "1", filename, "https://x", "sha256:" + "0" * 64, None)


def unpacked(tmp_path: Path, opened: ExitStack, **wheels: dict[str, bytes]) -> Unpacked:
    placed = []
    for name, files in wheels.items():
        path = tmp_path / f"{name}.whl"
        path.write_bytes(wheel(name, "1", files))
        placed.append((named(f"{name}-1-py3-none-any.whl", name), path))
    return unpack_wheels(placed, "3.11", opened)


def contents(found: Unpacked) -> dict[str, bytes]:
    texts = {}
    for member in found.members:
        assert member.open is not None
        with member.open() as stream:
            texts[member.path] = stream.read()
            assert len(texts[member.path]) == member.size
    return texts


def test_every_scheme_has_its_place(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": b"1",
        "pkg-1.data/purelib/pure.py": b"2",
        "pkg-1.data/platlib/plat.so": b"3",
        "pkg-1.data/data/share/x": b"4",
        "pkg-1.data/headers/x.h": b"5",
        "pkg-1.data/scripts/run": b"#!python -x\nprint()\n",
        "pkg-1.data/scripts/run.sh": b"#!/bin/sh\n",
    }
    with ExitStack() as opened:
        found = contents(unpacked(tmp_path, opened, pkg=files))
    described = {path for path in found if ".dist-info/" in path}
    assert {path: text for path, text in found.items() if path not in described} == {
        f"{SITE}/pkg/__init__.py": b"1",
        f"{SITE}/pure.py": b"2",
        f"{SITE}/plat.so": b"3",
        "opt/venv/share/x": b"4",
        "opt/venv/include/site/python3.11/pkg/x.h": b"5",
        "opt/venv/bin/run": b"#!/opt/venv/bin/python\nprint()\n",
        "opt/venv/bin/run.sh": b"#!/bin/sh\n",
    }
    assert f"{SITE}/pkg-1.dist-info/RECORD" in described


def test_entry_points_become_executable_scripts(tmp_path: Path) -> None:
    console = b"[console_scripts]\nTool = pkg.cli:App.main [extra]\n../evil = pkg:x\n"
    entry_points = console + b"[gui_scripts]\ngui=pkg:gui\n[x]\ny = z:1\n"
    with ExitStack() as opened:
        found = unpacked(tmp_path, opened, pkg={"pkg-1.dist-info/entry_points.txt": entry_points})
        scripts = {member.path: member.mode for member in found.members if "/bin/" in member.path}
        assert scripts == {"opt/venv/bin/Tool": 0o755, "opt/venv/bin/gui": 0o755}
        text = contents(found)["opt/venv/bin/Tool"].decode()
    assert text == "#!/opt/venv/bin/python\nimport sys\n\nfrom pkg.cli import App\n\nsys.exit(App.main())\n"


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "a/../../evil.py", "pkg-1.data/data/../../x"])
def test_a_member_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with ExitStack() as opened, pytest.raises(ImageError, match="leads out"):
        unpacked(tmp_path, opened, pkg={name: b""})


def test_of_two_wheels_with_one_path_the_later_stays_with_a_note(tmp_path: Path) -> None:
    with ExitStack() as opened:
        same = unpacked(tmp_path, opened, a={"tests/__init__.py": b"1"}, b={"tests/__init__.py": b"1"})
        other = unpacked(tmp_path, opened, a={"tests/__init__.py": b"1"}, b={"tests/__init__.py": b"2"})
        assert contents(other)[f"{SITE}/tests/__init__.py"] == b"2"
    assert same.notes == []
    assert other.notes == [f"/{SITE}/tests/__init__.py is in a and in b: the latter's is kept"]


def test_a_broken_wheel_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"not a zip")
    with ExitStack() as opened, pytest.raises(ImageError, match="broken"):
        unpack_wheels([(named("a-1-py3-none-any.whl"), tmp_path / "a.whl")], "3.11", opened)


def test_the_environment_points_to_the_images_python() -> None:
    members = {member.path: member for member in skeleton(Interpreter("/usr/bin/python3.11", "3.11"))}
    assert {path: member.link for path, member in members.items()} == {
        "opt/venv/pyvenv.cfg": None,
        "opt/venv/bin/python": "/usr/bin/python3.11",
        "opt/venv/bin/python3": "python",
        "opt/venv/bin/python3.11": "python",
    }
    opened = members["opt/venv/pyvenv.cfg"].open
    assert opened is not None
    assert b"home = /usr/bin\n" in opened().read()
    assert script("serve", "argosy.serving.main", "main").path == "opt/venv/bin/serve"
