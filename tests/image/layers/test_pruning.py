import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.image.layers.pruning import superfluous, without


def pruned(files: dict[str, bytes], *, has_compiler: bool = False) -> set[str]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with zipfile.ZipFile(buffer) as archive:
        return set(superfluous(archive, has_compiler=has_compiler))


def test_tests_caches_manuals_sources_and_headers_go() -> None:
    stays = {
        "pkg/__init__.py": b"",
        "pkg/core.so": b"",
        "pkg/stubs.pyi": b"",
        "pkg/data/table.csv": b"",
        "pkg/testing/__init__.py": b"",
        "pkg/native/builtin.h": b"",
        "pkg/native/kernel.cu": b"",
        "pkg-1.data/scripts/run": b"",
        "pkg-1.data/data/share/model.bin": b"",
        "pkg-1.dist-info/METADATA": b"",
        "pkg-1.dist-info/licenses/tests/LICENSE": b"",
    }
    goes = {
        "pkg/tests/__init__.py": b"",
        "pkg/tests/data/big.bin": b"",
        "pkg/sub/tests/test_it.py": b"from pkg.tests import x",
        "pkg/__pycache__/core.cpython-311.pyc": b"",
        "pkg/old.pyc": b"",
        "pkg/core.pyx": b"",
        "numpy/_core/include/core.h": b"",
        "ai_edge_litert/vendors/qualcomm/dispatch/libLiteRtDispatch_Qualcomm.so": b"",
        "pkg/core.a": b"",
        "pkg-1.data/data/share/man/man1/run.1": b"",
        "pkg-1.data/data/share/doc/pkg/index.html": b"",
    }
    assert pruned(stays | goes) == set(goes)


def test_a_compiler_in_the_image_keeps_what_it_can_read() -> None:
    files = {"numpy/_core/include/core.h": b"", "pkg/core.pyx": b"", "pkg/tests/x.h": b"", "pkg/__pycache__/a.pyc": b""}
    assert pruned(files, has_compiler=True) == {"pkg/tests/x.h", "pkg/__pycache__/a.pyc"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pkg/__init__.py", "from .tests.runner import run"),
        ("pkg/__init__.py", "from . import (\n    core,\n    tests,\n)"),
        ("pkg/sub/a.py", "  from ..tests import runner"),
        ("pkg/a.py", "import os, pkg.tests.runner"),
        ("pkg/a.py", "from pkg.tests.runner import run  # as ever"),
        ("other.py", "import importlib; importlib.import_module('pkg.tests')"),
        ("other.py", 'open(here / "tests/data/table.csv")'),
        ("pkg/a.py", "find('../pkg/tests/data/x')"),
    ],
)
def test_tests_that_a_module_needs_stay(module: str, source: str) -> None:
    tests = {"pkg/tests/__init__.py": b"", "pkg/tests/runner.py": b"", "pkg/tests/data/table.csv": b""}
    assert not pruned({**tests, module: source.encode()})


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pkg/a.py", "# from pkg.tests import runner"),
        ("pkg/a.py", "tests = run_tests()"),
        ("pkg/a.py", "from pkg.contests import a"),
        ("pkg/conftest.py", "from pkg.tests import runner"),
        ("pkg/test_a.py", "from pkg.tests import runner"),
        ("setup.py", "packages = ['pkg.tests']"),
    ],
)
def test_what_only_speaks_of_tests_keeps_none(module: str, source: str) -> None:
    assert pruned({"pkg/tests/runner.py": b"", module: source.encode()}) == {"pkg/tests/runner.py"}


def test_tests_that_needed_tests_need_stay_too() -> None:
    files = {
        "pkg/a.py": b"from pkg.tests import support",
        "pkg/tests/support.py": b"from pkg.sub.tests.data import table",
        "pkg/sub/tests/data.py": b"table = 1",
        "pkg/far/tests/test_far.py": b"",
    }
    assert pruned(files) == {"pkg/far/tests/test_far.py"}


def test_a_package_called_tests_is_no_folder_of_tests() -> None:
    assert not pruned({"tests/__init__.py": b"", "tests/unit/test_a.py": b""})


NAMES = st.lists(
    st.sampled_from(
        ["pkg", "tests", "sub", "__pycache__", "include", "p-1.dist-info", "p-1.data", "data", "share", "man"]
    ),
    min_size=1,
    max_size=4,
).flatmap(
    lambda parts: st.sampled_from(["a.py", "a.h", "a.so", "a.pyc", "RECORD"]).map(lambda n: "/".join([*parts, n]))
)


@given(
    st.dictionaries(NAMES, st.sampled_from([b"", b"import pkg.tests", b"from .tests import a"]), max_size=8),
    st.booleans(),
)
def test_any_order_gives_the_same_and_metadata_always_stays(files: dict[str, bytes], has_compiler: bool) -> None:
    found = pruned(files, has_compiler=has_compiler)
    assert found == pruned(dict(reversed(files.items())), has_compiler=has_compiler)
    assert found <= set(files)
    assert not any(name.partition("/")[0].endswith(".dist-info") for name in found)


def test_the_record_lists_what_is_there() -> None:
    record = b'a.py,sha256=x,1\r\n"a/tests/b,c.py",,\na/tests/d.py,sha256=y,2\nx.dist-info/RECORD,,\n'
    assert without(record, {"a/tests/b,c.py", "a/tests/d.py"}) == b"a.py,sha256=x,1\r\nx.dist-info/RECORD,,\n"
