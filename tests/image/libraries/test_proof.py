"""The search of the loader, on images of programs that are headers only."""

from pathlib import Path

import pytest

from argosy.image.blobs import BlobStore
from argosy.image.libraries.proof import Finding, Proof, prove
from tests.image.images import Member, file, image, link
from tests.image.libraries.programs import AARCH64, loader_cache, program

SITE = "opt/venv/lib/python3.11/site-packages"
LIBC = file("usr/lib/x86_64-linux-gnu/libc.so.6", program(soname="libc.so.6", defined=["GLIBC_2.34", "GLIBC_2.36"]))
BASE = [LIBC, link("lib", "usr/lib")]


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def proof(store: BlobStore, *members: Member, base: list[Member] | None = None, library_path: str = "") -> Proof:
    config = {"config": {"Env": [f"LD_LIBRARY_PATH={library_path}"]}} if library_path else {}
    built = image(store, [BASE if base is None else base, members], config=config)
    return prove(built, 1, store.folder.parent / "cache")


def missing(found: Proof) -> list[str]:
    return [finding.library for finding in found.findings if finding.kind == "missing"]


def test_a_program_that_finds_all_is_no_finding(store: BlobStore) -> None:
    found = proof(store, file(f"{SITE}/a.so", program(["libc.so.6"], required={"libc.so.6": ["GLIBC_2.34"]})))
    assert found == Proof(2, (), {})


def test_a_missing_library_is_found_with_the_file_that_needs_it(store: BlobStore) -> None:
    found = proof(store, file(f"{SITE}/a.so", program(["libgomp.so.1", "libc.so.6"])))
    assert found.findings == (Finding("missing", f"{SITE}/a.so", "libgomp.so.1", "", below=False),)


def test_what_the_base_image_lacks_is_its_own_fault(store: BlobStore) -> None:
    (finding,) = proof(store, base=[*BASE, file("usr/bin/tool", program(["libodd.so.1"]))]).findings
    assert finding.below


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ("lib/libodd.so.1", {}),
        ("usr/lib64/libodd.so.1", {}),
        (f"{SITE}/odd.libs/libodd.so.1", {"rpath": "$ORIGIN/../odd.libs"}),
        (f"{SITE}/odd.libs/libodd.so.1", {"runpath": "/nowhere:${ORIGIN}/../odd.libs"}),
        ("srv/libodd.so.1", {"runpath": "/srv"}),
    ],
)
def test_a_library_is_found_where_the_loader_looks(store: BlobStore, place: str, how: dict[str, str]) -> None:
    odd = file(place, program())
    assert proof(store, odd, file(f"{SITE}/odd/a.so", program(["libodd.so.1"], **how))).findings == ()  # type: ignore[arg-type]  # strings only
    assert missing(proof(store, file(f"{SITE}/odd/a.so", program(["libodd.so.1"], **how)))) == ["libodd.so.1"]  # type: ignore[arg-type]  # strings only


def test_rpath_does_not_count_beside_runpath(store: BlobStore) -> None:
    needs = file("opt/a.so", program(["libodd.so.1"], rpath="/srv", runpath="/nowhere"))
    assert missing(proof(store, file("srv/libodd.so.1", program()), needs)) == ["libodd.so.1"]


def test_the_rpath_of_who_loads_a_library_counts_for_what_that_needs(store: BlobStore) -> None:
    libraries = [
        file("srv/libone.so", program(["libtwo.so"])),
        file("srv/libtwo.so", program(["libthree.so"])),
        file("srv/libthree.so", program()),
    ]
    by = {"rpath": file("opt/a.so", program(["libone.so"], rpath="/srv"))}
    by["runpath"] = file("opt/a.so", program(["libone.so"], runpath="/srv"))
    assert missing(proof(store, *libraries, by["rpath"])) == []
    assert missing(proof(store, *libraries, by["runpath"])) == ["libtwo.so", "libthree.so"]


def test_library_path_counts_before_runpath_and_by_its_image_alone(store: BlobStore) -> None:
    members = (file("srv/libodd.so.1", program()), file("opt/a.so", program(["libodd.so.1"])))
    assert missing(proof(store, *members, library_path="/nowhere:/srv")) == []
    assert missing(proof(store, *members)) == ["libodd.so.1"]


def test_other_folders_count_where_the_loaders_cache_lists_them(store: BlobStore) -> None:
    members = [file("usr/local/lib/libodd.so.1", program()), file("opt/a.so", program(["libodd.so.1"]))]
    assert missing(proof(store, *members)) == ["libodd.so.1"]
    listing = file("etc/ld.so.cache", b"older format" + loader_cache("/usr/local/lib/libodd.so.1", "/gone/libx.so"))
    assert missing(proof(store, *members, base=[*BASE, listing])) == []
    assert missing(proof(store, *members, base=[*BASE, file("etc/ld.so.cache", listing[1][:70])])) == ["libodd.so.1"]


def test_links_lead_to_a_library_and_whiteouts_hide_it(store: BlobStore) -> None:
    odd = [file("usr/lib/libodd.so.1.2", program()), link("usr/lib/libodd.so.1", "libodd.so.1.2")]
    needs = file(f"{SITE}/a.so", program(["libodd.so.1"]))
    assert missing(proof(store, needs, base=[*BASE, *odd])) == []
    assert missing(proof(store, needs, file("usr/lib/.wh.libodd.so.1.2"), base=[*BASE, *odd])) == ["libodd.so.1"]
    assert missing(proof(store, needs, file("usr/lib/libodd.so.1.2", b"text"), base=[*BASE, *odd])) == ["libodd.so.1"]


def test_a_library_for_another_machine_is_none(store: BlobStore) -> None:
    foreign = file("usr/lib/libodd.so.1", program(machine=AARCH64))
    found = proof(store, foreign, file("opt/a.so", program(["libodd.so.1"])))
    assert [(one.kind, one.program, one.certain) for one in found.findings] == [
        ("missing", "opt/a.so", True),
        ("machine", "usr/lib/libodd.so.1", False),
    ]


def test_an_extension_module_for_another_machine_cannot_be_imported(store: BlobStore) -> None:
    name = f"{SITE}/a.cpython-311-x86_64-linux-gnu.so"
    (finding,) = proof(store, file(name, program(machine=AARCH64))).findings
    assert (finding.kind, finding.detail, finding.certain) == ("machine", "aarch64", True)


def test_a_library_that_is_too_old_is_named_with_what_it_lacks(store: BlobStore) -> None:
    versions = ["GLIBC_2.34", "GLIBC_2.38", "GLIBC_2.39"]
    needs = file(f"{SITE}/a.so", program(["libc.so.6"], required={"libc.so.6": versions}, weak=["GLIBC_2.39"]))
    (finding,) = proof(store, needs).findings
    assert (finding.kind, finding.library) == ("version", "libc.so.6")
    assert finding.detail == "/usr/lib/x86_64-linux-gnu/libc.so.6 has no GLIBC_2.38"


def test_a_library_without_versions_is_taken(store: BlobStore) -> None:
    odd = file("usr/lib/libodd.so.1", program())
    needs = file("opt/a.so", program(["libodd.so.1"], required={"libodd.so.1": ["ODD_1"]}))
    assert proof(store, odd, needs).findings == ()


def test_what_another_distribution_has_is_assumed_to_be_loaded_first_and_said(store: BlobStore) -> None:
    needs = file(f"{SITE}/torchvision/_C.so", program(["libtorch.so"]))
    found = proof(store, needs, file(f"{SITE}/torch/lib/libtorch.so", program()))
    assert (found.findings, found.assumed) == ((), {"libtorch.so": f"{SITE}/torchvision/_C.so"})
    assert missing(proof(store, needs, file("srv/libtorch.so", program()))) == ["libtorch.so"]


@pytest.mark.parametrize(
    ("needs", "has"),
    [
        ("opt/venv/lib/libmalloc_proxy.so.2", "opt/venv/lib/libmalloc.so.2"),
        (f"{SITE}/a.so", "opt/venv/lib/libmalloc.so.2"),
        ("opt/venv/lib/libproxy.so", f"{SITE}/malloc/libmalloc.so.2"),
    ],
)
def test_the_whole_virtual_environment_is_brought_by_wheels(store: BlobStore, needs: str, has: str) -> None:
    found = proof(store, file(needs, program(["libmalloc.so.2"])), file(has, program()))
    assert (found.findings, found.assumed) == ((), {"libmalloc.so.2": needs})


def test_a_library_beside_pythons_own_that_no_program_names_may_lie_there_unused(store: BlobStore) -> None:
    data = "opt/venv/lib"
    chain = [
        file(f"{data}/libplugin.so", program(["libhidden.so.1"])),
        file(f"{data}/libhidden.so.1", program(["libodd.so.1"])),
        file(f"{data}/libmath.so.2", program(["libcore.so"])),
        file(f"{data}/libcore.so", program(["libodd.so.1"])),
    ]
    certain = {one.program: one.certain for one in proof(store, *chain).findings}
    assert certain == {f"{data}/libhidden.so.1": False, f"{data}/libcore.so": False}
    needs = file(f"{SITE}/a.so", program(["libmath.so.2"], rpath="$ORIGIN/../.."))
    certain = {one.program: one.certain for one in proof(store, *chain, needs).findings}
    assert certain == {f"{data}/libhidden.so.1": False, f"{data}/libcore.so": True}


def test_a_plugin_of_the_system_may_lie_there_unused(store: BlobStore) -> None:
    places = ["usr/lib/caca/plugin.so", "usr/lib/libplain.so", "usr/bin/tool", "opt/program/own.so"]
    found = proof(store, *(file(place, program(["libodd.so.1"])) for place in places))
    assert {one.program: one.certain for one in found.findings} == {place: "caca" not in place for place in places}


def test_a_loader_that_is_not_there_is_missing(store: BlobStore) -> None:
    tool = file("opt/tool", program(interpreter="/lib/ld-musl-x86_64.so.1"), 0o755)
    assert missing(proof(store, tool)) == ["/lib/ld-musl-x86_64.so.1"]


def test_a_program_that_ends_too_early_is_told(store: BlobStore) -> None:
    (finding,) = proof(store, file(f"{SITE}/a.so", program(["libc.so.6"])[:100])).findings
    assert (finding.kind, finding.certain) == ("broken", False)


def test_debug_files_and_text_named_like_libraries_are_left_alone(store: BlobStore) -> None:
    debug = file("usr/lib/debug/a.debug", program(["libnone.so"]))
    assert proof(store, debug, file("usr/lib/libc.so", b"/* GNU ld script */")).findings == ()


def test_a_layer_is_read_once(store: BlobStore) -> None:
    base = [*BASE, file("usr/bin/tool", program(["libodd.so.1"]))]
    first = image(store, [base, [file("a", b"1")]])
    prove(first, 1, store.folder.parent / "cache")
    store.path(first.layers[0].digest).unlink()
    again = image(BlobStore(store.folder.parent / "other"), [base, [file("a", b"2")]])
    (layer, _) = again.layers
    BlobStore(store.folder.parent / "other").remove(layer.digest)
    assert missing(prove(again, 1, store.folder.parent / "cache")) == ["libodd.so.1"]
