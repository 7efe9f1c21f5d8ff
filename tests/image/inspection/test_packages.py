import pytest

from argosy.image.inspection.packages import Ownership, Package, installed, is_record

SITE = "opt/venv/lib/python3.11/site-packages"
RECORD = b'numpy/__init__.py,sha256=x,10\nnumpy.libs/blas.so,,\n../../../bin/f2py,,\n"odd, name.py",,\n'
STATUS = b"""Package: libc6
Status: install ok installed
Version: 2.36-9
Installed-Size: 10

Package: gone
Status: deinstall ok config-files
Version: 1
"""
NUMPY = Package("python", "numpy", "2.4.6")
LIBC = Package("debian", "libc6", "2.36-9")


def test_a_wheels_files_are_its_own_wherever_they_are() -> None:
    found = Ownership()
    found.add({f"{SITE}/numpy-2.4.6.dist-info/RECORD": RECORD})
    for path in (
        f"{SITE}/numpy/__init__.py",
        f"{SITE}/numpy.libs/blas.so",
        "opt/venv/bin/f2py",
        f"{SITE}/odd, name.py",
    ):
        assert found.owner(path) == NUMPY
    assert found.owner(f"{SITE}/numpy/__pycache__/__init__.cpython-311.pyc") == NUMPY
    assert found.owner(f"{SITE}/other.py") is None
    assert found.owner("opt/venv/bin/python") is None


def test_debians_files_are_found_under_old_and_new_names() -> None:
    found = Ownership()
    found.add(
        {"var/lib/dpkg/status": STATUS, "var/lib/dpkg/info/libc6:amd64.list": b"/.\n/lib/libc.so.6\n/usr/bin/ldd\n"}
    )
    assert found.owner("usr/lib/libc.so.6") == found.owner("lib/libc.so.6") == found.owner("usr/bin/ldd") == LIBC
    assert found.declared == {}


def test_a_debian_package_without_a_list_has_the_size_that_dpkg_says_once() -> None:
    found = Ownership()
    found.add({"var/lib/dpkg/status": STATUS})
    assert found.declared == {LIBC: 10240}
    found.add({"var/lib/dpkg/status": STATUS + b"\nPackage: new\nVersion: 1\n"})
    assert list(found.declared) == [Package("debian", "new", "1")]


def test_a_later_layer_takes_files_over() -> None:
    found = Ownership()
    found.add({f"{SITE}/numpy-1.0.dist-info/RECORD": b"numpy/a.py,,\n"})
    found.add({f"{SITE}/numpy-2.4.6.dist-info/RECORD": b"numpy/a.py,,\n"})
    assert found.owner(f"{SITE}/numpy/a.py") == NUMPY


def test_what_is_installed() -> None:
    paths = [f"{SITE}/Scikit_Learn-1.5.dist-info/METADATA", "usr/lib/scikit_learn-1.4.dist-info/METADATA", "a/METADATA"]
    assert installed(paths, [STATUS]) == {("python", "scikit-learn"): "1.4, 1.5", ("debian", "libc6"): "2.36-9"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("var/lib/dpkg/status", True),
        ("var/lib/dpkg/status.d/libc6", True),
        ("var/lib/dpkg/info/libc6.list", True),
        ("a/b-1.dist-info/RECORD", True),
        ("a/b-1.dist-info/METADATA", True),
        ("a/b-1.dist-info/top_level.txt", False),
        ("var/lib/dpkg/status-old", False),
        ("RECORD", False),
    ],
)
def test_only_records_are_read(path: str, expected: bool) -> None:
    assert is_record(path) is expected
