import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.interpreter import DEFAULT_PATH, Interpreter, find_interpreter, search_path
from tests.image.images import ELF, PYTHON, Member, file, image, link

LOADER = PYTHON[2:]
SYSTEM, OWN = file("usr/bin/python3.11", ELF, 0o755), file("usr/local/bin/python3.13", ELF, 0o755)


def found(store: BlobStore, members: list[Member], wanted: str | None = None, path: str = "") -> Interpreter:
    config = {"config": {"Env": [f"PATH={path}"]} if path else {}}
    return find_interpreter(image(store, [[*members, *LOADER]], config=config), wanted, store.folder.parent)


def test_the_first_on_the_path_is_taken(store: BlobStore) -> None:
    both = [SYSTEM, OWN, link("usr/bin/python3", "python3.11")]
    assert found(store, both) == Interpreter("/usr/local/bin/python3.13", "3.13")
    assert found(store, both, path="/usr/bin:/usr/local/bin") == Interpreter("/usr/bin/python3.11", "3.11")
    assert found(store, both, "3.11") == Interpreter("/usr/bin/python3.11", "3.11")


def test_links_are_followed_to_the_file(store: BlobStore) -> None:
    members = [SYSTEM, link("usr/local/bin/python3", "/usr/bin/python3.11")]
    assert found(store, members) == Interpreter("/usr/bin/python3.11", "3.11")


def test_another_version_than_the_project_wants_is_an_error_that_says_so(store: BlobStore) -> None:
    with pytest.raises(ImageError, match=r'got 3\.11, want `image\.python = "3\.12"`') as raised:
        found(store, [SYSTEM], "3.12")
    assert raised.value.hint == 'set `python = "3.11"`, or a base that has Python 3.12'


@pytest.mark.parametrize("members", [[], [file("usr/bin/python3.11", ELF, 0o644)], [link("usr/bin/python3", "gone")]])
def test_no_python_is_an_error(store: BlobStore, members: list[Member]) -> None:
    with pytest.raises(ImageError, match="no Python"):
        found(store, members)


def test_a_base_without_glibc_is_an_error(store: BlobStore) -> None:
    with pytest.raises(ImageError, match="glibc"):
        find_interpreter(image(store, [[SYSTEM]]), None, store.folder.parent)


def test_what_an_image_has_is_remembered(store: BlobStore) -> None:
    made = image(store)
    first = find_interpreter(made, None, store.folder.parent)
    store.path(made.layers[0].digest).unlink()
    assert find_interpreter(made, None, store.folder.parent) == first


def test_an_image_without_a_path_has_the_usual_one(store: BlobStore) -> None:
    assert search_path(image(store, config={"config": {}})) == DEFAULT_PATH


def test_the_c_library_beside_it_is_told(store: BlobStore) -> None:
    library = file("usr/lib/x86_64-linux-gnu/libc.so.6", ELF + b"\0GLIBC_2.2.5\0GLIBC_2.36\0GLIBC_PRIVATE\0", 0o755)
    members = [SYSTEM, library, link("usr/bin/python3", "python3.11"), link("lib", "usr/lib")]
    for _ in ("found", "remembered"):
        assert found(store, members) == Interpreter("/usr/bin/python3.11", "3.11", glibc_minor=36)
