import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.image.libraries.elf import HEAD, BrokenProgramError, Program, is_program, read_program
from tests.image.libraries.programs import AARCH64, program

NAMES = st.lists(st.text("abclib.so-+_0123456789/$", min_size=1, max_size=20), max_size=4, unique=True)


def read(content: bytes) -> Program:
    return read_program(io.BytesIO(content))


@given(NAMES, NAMES, NAMES, st.dictionaries(st.sampled_from(["libc.so.6", "libm.so.6"]), NAMES.filter(bool)))
def test_what_was_written_is_read(
    needed: list[str], folders: list[str], defined: list[str], required: dict[str, list[str]]
) -> None:
    paths = ":".join(folders)
    content = program(needed, soname="me.so", runpath=paths, rpath=paths, required=required, defined=defined)
    assert is_program(content[:HEAD])
    read_back = read(content)
    assert read_back == Program(
        "x86-64",
        "me.so",
        tuple(needed),
        tuple(folders),
        tuple(folders),
        "",
        {library: tuple(versions) for library, versions in required.items()},
        tuple(defined),
    )


def test_a_version_that_is_asked_for_weakly_is_not_required() -> None:
    content = program(["libc.so.6"], required={"libc.so.6": ["NEW", "OLD"]}, weak=["NEW"])
    assert read(content).required == {"libc.so.6": ("OLD",)}


def test_an_executable_names_its_loader() -> None:
    assert read(program(interpreter="/lib64/ld-linux-x86-64.so.2")).interpreter == "/lib64/ld-linux-x86-64.so.2"


def test_of_another_machine_only_its_name_is_read() -> None:
    assert read(program(["libc.so.6"], machine=AARCH64)) == Program("aarch64")
    narrow = bytearray(program())
    narrow[4] = 1
    assert read(bytes(narrow)) == Program("x86-64 (32 bit)")


@pytest.mark.parametrize("head", [b"", b"\x7fELF", b"#!/bin/sh\n" + bytes(20), program()[:16] + b"\x01\x00\x3e\x00"])
def test_scripts_and_object_files_are_no_programs(head: bytes) -> None:
    assert not is_program(head[:HEAD])


@given(st.integers(HEAD, 300), st.binary(max_size=40))
def test_a_damaged_file_is_told_from_a_whole_one(cut: int, rubbish: bytes) -> None:
    """Whatever the bytes say, reading ends, and with this error alone."""
    content = program(["libc.so.6"], required={"libc.so.6": ["A", "B"]}, defined=["C"])
    for damaged in (content[:cut], content[:cut] + rubbish + content[cut + len(rubbish) :]):
        try:
            read(damaged)
        except BrokenProgramError:
            continue


def test_a_real_program_is_read_as_the_loader_reads_it() -> None:
    """`ldd` asks the loader itself."""
    python = Path(sys.executable).resolve()
    with python.open("rb") as file:
        found = read_program(file)
    listed = subprocess.run(["ldd", python], capture_output=True, text=True, check=True).stdout
    paths = dict(re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE))
    assert "libc.so.6" in found.needed
    assert set(found.needed) <= paths.keys()
    assert found.interpreter == "/lib64/ld-linux-x86-64.so.2"
    with Path(paths["libc.so.6"]).open("rb") as file:
        libc = read_program(file)
    assert libc.soname == "libc.so.6"
    assert "GLIBC_2.2.5" in found.required["libc.so.6"]
    assert set(found.required["libc.so.6"]) <= set(libc.defined)
