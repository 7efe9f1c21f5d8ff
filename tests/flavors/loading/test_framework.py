import pytest

from argosy.errors import LoadError
from argosy.flavors.loading.framework import framework, installed_version


def test_what_is_there_is_imported() -> None:
    with framework("numpy"):
        import numpy  # noqa: F401 - that it can be
    assert installed_version("numpy")
    assert installed_version("no-such-framework") is None


def test_a_framework_that_is_not_installed() -> None:
    with pytest.raises(LoadError) as caught, framework("no-such-framework", "numpy"):
        raise ModuleNotFoundError("No module named 'no_such_framework'")
    assert caught.value.what == "this flavor needs no-such-framework"
    assert caught.value.hint == "pip install no-such-framework"


def test_a_framework_that_is_broken() -> None:
    with pytest.raises(LoadError) as caught, framework("numpy"):
        raise RuntimeError("built for\nanother processor")
    assert caught.value.got == "RuntimeError: built for another processor"
    assert caught.value.hint == "pip install --force-reinstall numpy"


def test_a_framework_that_lacks_a_library_of_the_system() -> None:
    said = "libgomp.so.1: cannot open shared object file: No such file or directory"
    with pytest.raises(LoadError) as caught, framework("numpy"):
        raise OSError(said)
    assert caught.value.what == "this flavor needs numpy, and that a library of the system"
    assert caught.value.got == "no `libgomp.so.1`"
    assert "[image] system_packages" in str(caught.value.hint)
