"""What a scan, sizes and an archive come to, and how the scenes at rest are observed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy import model_archive
from argosy.conformance.case import Case
from argosy.conformance.catalogue import CHECKS
from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.image_checks.size import LARGE_IMAGE, LARGEST_LAYER, MOST_LAYERS, VOLUME, VOLUME_WITH_ROOM
from argosy.conformance.observing import at_rest
from argosy.conformance.observing.at_rest import files_of, observe_at_rest
from argosy.conformance.run import judge
from argosy.conformance.scenes.at_rest import Archive, Files, Room, Scanned, Still
from argosy.contract import Level
from argosy.errors import NotScannedError
from argosy.image import layer_stream
from argosy.image.image import Image
from argosy.image.materials.scanner import SEVERITIES, Scan
from argosy.model_archive import Fault, FaultKind
from tests.conformance.images import CLEAN_FILES, File, make_image
from tests.conformance.test_image_mutations import DEFECTS as OF_IMAGES
from tests.conformance.test_program_mutations import DEFECTS as OF_PROGRAMS


def finding(clause_id: str, *scenes: object) -> Finding:
    return {found.clause.id: found for found in judge(Case.of(*scenes))}[clause_id]


def scan(**counts: int) -> Scan:
    return Scan("trivy", "0.58.1", "2026-11-20", {severity: counts.get(severity, 0) for severity in SEVERITIES})


def of_sizes(*sizes: int) -> Still:
    layers = [{"mediaType": "x", "digest": f"sha256:{number:064}", "size": size} for number, size in enumerate(sizes)]
    return Still(make_image(manifest={"layers": layers}), is_stored=True)


SIZES: Mapping[str, tuple[str, object, Status]] = {
    "a layer that ECR takes": ("image-layer-size", of_sizes(LARGEST_LAYER), Status.PASS),
    "a layer that ECR does not take": ("image-layer-size", of_sizes(1, LARGEST_LAYER + 1), Status.FAIL),
    "many layers": ("image-layer-count", of_sizes(*[1] * MOST_LAYERS), Status.PASS),
    "too many layers": ("image-layer-count", of_sizes(*[1] * (MOST_LAYERS + 1)), Status.FAIL),
    "a large image": ("image-size", of_sizes(LARGE_IMAGE // 2, LARGE_IMAGE // 2), Status.PASS),
    "too large an image": ("image-size", of_sizes(LARGE_IMAGE // 2, LARGE_IMAGE // 2, 1), Status.FAIL),
    "large for a serverless endpoint": ("image-serverless-size", of_sizes(LARGE_IMAGE), Status.PASS),
    "too large for a serverless endpoint": ("image-serverless-size", of_sizes(LARGE_IMAGE, 1), Status.FAIL),
    "an image alone": ("batch-volume", Room(10**9, None), Status.PASS),
    "room enough": ("batch-volume", Room(VOLUME_WITH_ROOM // 2, VOLUME_WITH_ROOM // 2), Status.PASS),
    "little room": ("batch-volume", Room(VOLUME_WITH_ROOM, 1), Status.UNKNOWN),
    "no room": ("batch-volume", Room(VOLUME, 1), Status.FAIL),
    "a small archive": ("model-archive-size", Archive("model.tar.gz", (), 1, 10**10), Status.PASS),
    "a large archive": ("model-archive-size", Archive("model.tar.gz", (), 1, 10**10 + 1), Status.FAIL),
    "no finding": ("image-vulnerabilities", Scanned(scan(medium=9, unknown=9)), Status.PASS),
    "a high one": ("image-vulnerabilities", Scanned(scan(high=1)), Status.FAIL),
    "a critical one": ("image-vulnerabilities", Scanned(scan(critical=1)), Status.FAIL),
    "no scan": ("image-vulnerabilities", Scanned(None, "no `trivy` on the PATH"), Status.UNKNOWN),
}


@pytest.mark.parametrize("case", sorted(SIZES))
def test_sizes_and_scans_are_judged(case: str) -> None:
    clause_id, scene, status = SIZES[case]
    found = finding(clause_id, scene)
    assert found.status is status, found.verdict
    assert found.status is not Status.FAIL or found.verdict.evidence


ARCHIVES: Mapping[FaultKind, str] = {
    FaultKind.FORM: "model-archive",
    FaultKind.TOP_FOLDER: "model-archive-root",
    FaultKind.MODE: "model-archive-modes",
    FaultKind.TWICE: "model-archive-names",
    FaultKind.LITTER: "model-archive-litter",
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_fault_of_an_archive_fails_exactly_its_own_clause(kind: FaultKind) -> None:
    faults = tuple(Fault(kind, name, "is wrong", "mend it", Level.MUST) for name in ("weights", "other"))
    found = judge(Case.of(Archive("model.tar.gz", faults)))
    failed = [one for one in found if one.status is Status.FAIL]
    assert [one.clause.id for one in failed] == [ARCHIVES[kind]]
    assert "weights" in failed[0].verdict.reason
    assert len(failed[0].verdict.evidence) == 2


def test_the_scenes_of_an_image_and_its_archive(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights").write_bytes(bytes(1000))
    model_archive.pack(tmp_path / "model", tmp_path / "model.tar.gz")
    image = make_image({"app/x": File(b"12345")}, upper=({"app/.wh.x": File(), "app/y": File(b"123")},))
    case = observe_at_rest(image, target="oci:x", model_data=tmp_path / "model.tar.gz", scan=lambda _: scan())
    assert case.find(Room) == Room(8, 1000)  # what a layer deletes is on the volume all the same
    assert case.find(Still) == Still(image, True, "oci:x")
    assert case.find(Scanned) == Scanned(scan())
    archive = case.find(Archive)
    assert archive is not None
    assert (archive.unpacked_bytes, archive.faults) == (1000, ())


def test_without_an_image_only_its_archive_is_seen() -> None:
    case = observe_at_rest(None)
    assert {Still, Files, Room, Scanned, Archive} == case.absent.keys()


def test_a_scan_that_came_to_nothing_says_why() -> None:
    def no_scan(_: Image) -> Scan:
        raise NotScannedError("not scanned", got="no `trivy` on the PATH")

    assert observe_at_rest(make_image(), scan=no_scan).find(Scanned) == Scanned(None, "no `trivy` on the PATH")


def test_each_layer_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_image(upper=({"app/x": File(b"x")}, {"app/y": File(b"y")}))
    read: list[str] = []
    opened = layer_stream.layer_stream

    def counted(image: Image, layer: Any) -> Any:  # Any: a descriptor, a context manager
        read.append(layer.digest)
        return opened(image, layer)

    monkeypatch.setattr(layer_stream, "layer_stream", counted)
    files = files_of(image)
    judge(Case.of(Still(image, True), files))
    assert read == [layer.digest for layer in image.layers]


def test_of_a_file_no_more_is_kept_than_the_checks_read() -> None:
    text = b"#!/bin/sh\n" + b"# x\n" * 1000
    program = b"\x7fELF" + bytes(5000)
    files = files_of(
        make_image(
            {
                "opt/program/run": File(text),
                "usr/lib/others/run": File(text),
                "usr/bin/tool": File(program),
                "opt/program/module.py": File(b"x = 1\n", 0o644),
                "opt/program/weights.bin": File(b"weights", 0o644),
                "opt/venv/lib/python3.11/site-packages/x.py": File(b"x = 1\n", 0o644),
                "opt/program/large.py": File(b"x = 1\n" * 200_000, 0o644),
            }
        )
    )
    kept = {
        path: len(files.content(path)) for path in (entry.path for entry in files.filesystem) if files.content(path)
    }
    assert kept == {
        "opt/program/run": len(text),
        "usr/lib/others/run": 512,
        "usr/bin/tool": 64,
        "opt/program/module.py": 6,
        "opt/program/large.py": 512,
    }


def test_texts_are_kept_as_long_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_rest, "_TEXTS_LIMIT", 3000)
    modules = {f"opt/program/{number}.py": File(b"x = 1\n" * 300) for number in range(3)}
    files = files_of(make_image({**CLEAN_FILES, **modules}))
    assert not files.is_whole
    assert finding("image-downloads", files).status is Status.UNKNOWN


def test_every_clause_on_what_is_at_rest_has_a_defect_that_breaks_it() -> None:
    broken = {clause_id for _, clause_id in (*OF_IMAGES.values(), *OF_PROGRAMS.values())} | set(ARCHIVES.values())
    broken |= {clause_id for clause_id, _, status in SIZES.values() if status is Status.FAIL}
    others = {"image-bind-to-port", "image-multi-models", "image-digest", "image-readable"}  # tests of their own
    judged = {check.clause.id for check in CHECKS if check.scene in (Still, Files, Room, Scanned, Archive)}
    assert judged == broken | others
