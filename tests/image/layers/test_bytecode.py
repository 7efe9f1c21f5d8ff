import importlib.util
import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.layer import Member, from_bytes
from argosy.image.layers.bytecode import Compiler, compiled, find_compiler

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
SOURCE = b"import os\nNAMES = {'b', 'a', 'os', 'name'}\ndef f(x, *, y='os'):\n    return f'{x}{y}', os.name\n"


def contents(members: list[Member]) -> dict[str, bytes]:
    found = {}
    for member in members:
        assert member.open is not None
        with member.open() as stream:
            found[member.path] = stream.read()
    return found


def made(*members: Member) -> dict[str, bytes]:
    with compiled(members, find_compiler(VERSION, os.environ)) as found:
        return contents(found)


def test_a_module_is_imported_from_its_bytecode_alone_and_never_checked(tmp_path: Path) -> None:
    found = made(from_bytes("pkg/__init__.py", SOURCE), from_bytes("pkg/data.txt", b"x"))
    assert set(found) == {"pkg/__init__.py", "pkg/data.txt", f"pkg/__pycache__/__init__.{TAG}.pyc"}
    bytecode = found[f"pkg/__pycache__/__init__.{TAG}.pyc"]
    assert bytecode[:4] == importlib.util.MAGIC_NUMBER
    assert bytecode[4:8] == b"\1\0\0\0", "by hash, unchecked"
    assert marshal.loads(bytecode[16:]).co_filename == "/pkg/__init__.py", "as in the image"
    for path, content in found.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "pkg/__init__.py").write_bytes(b"raise SystemExit('read from its source')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pkg; print(*pkg.f(1))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["1os", os.name]


def test_what_was_compiled_before_makes_no_difference() -> None:
    alone = made(from_bytes("a.py", SOURCE))
    others = [from_bytes(f"b{number}.py", SOURCE + b"\nz = 'os', 'name', 'x'\n") for number in range(20)]
    assert alone.items() <= made(*others, from_bytes("a.py", SOURCE)).items()


def test_what_is_no_python_is_left_as_it_is() -> None:
    files = {"a.py": b"print 'for another Python'", "b.py": b"\0", "c.py": b"", "d.py": b"'\\z' \"\\z\"", "e.pyx": b"1"}
    found = made(*(from_bytes(name, content) for name, content in files.items()))
    assert set(found) == {*files, f"__pycache__/d.{TAG}.pyc"}


def test_a_python_that_is_not_here_is_an_error_with_its_command() -> None:
    with pytest.raises(ImageError) as caught:
        find_compiler("3.99", os.environ)
    assert caught.value.hint == "uv python install 3.99"


def test_a_compiler_that_fails_says_why(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no such thing >&2\nexit 3\n")
    program.chmod(0o755)
    with (
        pytest.raises(ImageError, match="no such thing"),
        compiled([from_bytes("a.py", b"1")], Compiler("3.11", "3.11.2", program)),
    ):
        pass
