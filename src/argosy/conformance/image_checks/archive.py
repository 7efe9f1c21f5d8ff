"""The artifacts at rest: model.tar.gz, linted."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed
from argosy.conformance.clause import fact, must, should
from argosy.conformance.scenes.at_rest import Archive
from argosy.conformance.sources import BATCH_STORAGE
from argosy.contract import CONTAINER_DEFINITION, HOSTING_FAQ
from argosy.model_archive import BATCH_VOLUME_BYTES, FaultKind

LARGE: Final = 10 * 10**9
"""Bytes unpacked from which download and start take minutes, and small instance types have too little memory."""

_SHOWN: Final = 10


def _form(archive: Archive) -> Verdict:
    return _faultless(archive, "it unpacks", FaultKind.FORM)


def _top_folder(archive: Archive) -> Verdict:
    return _faultless(archive, "files lie at its root", FaultKind.TOP_FOLDER)


def _modes(archive: Archive) -> Verdict:
    return _faultless(archive, "whoever the server runs as may read its files", FaultKind.MODE)


def _members(archive: Archive) -> Verdict:
    return _faultless(archive, "every name is there once", FaultKind.TWICE)


def _litter(archive: Archive) -> Verdict:
    return _faultless(archive, "nothing that no model reads", FaultKind.LITTER)


def _size(archive: Archive) -> Verdict:
    told = f"{archive.packed_bytes / 1e6:,.1f} MB, unpacked {archive.unpacked_bytes / 1e6:,.1f} MB"
    if archive.unpacked_bytes > BATCH_VOLUME_BYTES:
        return failed(f"{told}: a transform job has 30 GB for all", Evidence(archive.name, told))
    if archive.unpacked_bytes > LARGE:
        return failed(f"{told}: more than 10 GB starts slowly", Evidence(archive.name, told))
    return passed(told)


def _faultless(archive: Archive, otherwise: str, kind: FaultKind) -> Verdict:
    faults = [fault for fault in archive.faults if fault.kind is kind]
    if not faults:
        return passed(otherwise)
    seen = [Evidence(fault.member or archive.name, f"{fault.what}: {fault.remedy}") for fault in faults[:_SHOWN]]
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return failed(f"{faults[0].member or archive.name}: {faults[0].what}{more}", *seen)


_GROUP: Final[Group[Archive]] = Group("image", Archive)

CHECKS: Final[tuple[Check[Archive], ...]] = (
    _GROUP.check(
        must(
            "model-archive",
            CONTAINER_DEFINITION,
            "model.tar.gz is a gzip tar that SageMaker unpacks: no links, no devices, no paths that lead out.",
            "argosy pack",
            rows="A01 A02 F13",
        ),
        _form,
    ),
    _GROUP.check(
        should(
            "model-archive-root",
            CONTAINER_DEFINITION,
            "Files lie at the root of model.tar.gz, so that they land directly in /opt/ml/model.",
            "tar -C model -czf model.tar.gz . (from inside the folder), or argosy pack",
            rows="A03 F14",
        ),
        _top_folder,
        "model-archive",
    ),
    _GROUP.check(
        should(
            "model-archive-modes",
            CONTAINER_DEFINITION,
            "Every file in model.tar.gz may be read by everybody: nobody wrote down as whom the server runs.",
            "chmod -R a+rX model, then pack again; argosy pack does that",
            rows="A03",
        ),
        _modes,
    ),
    _GROUP.check(
        should(
            "model-archive-names",
            CONTAINER_DEFINITION,
            "No name is in model.tar.gz twice.",
            "pack it anew in one step, and never append (tar -r)",
            rows="A03",
        ),
        _members,
    ),
    _GROUP.check(
        fact(
            "model-archive-litter",
            HOSTING_FAQ,
            "model.tar.gz has nothing that no model reads: caches, and what macOS leaves.",
            "COPYFILE_DISABLE=1 tar --exclude __pycache__ ..., or argosy pack",
            rows="A03",
        ),
        _litter,
    ),
    _GROUP.check(
        should(
            "model-archive-size",
            BATCH_STORAGE,
            "model.tar.gz has at most 10 GB unpacked.",
            "pack only what serving reads, in half precision or quantized; name an instance type with enough memory",
            rows="A05 F11 F12",
        ),
        _size,
    ),
)
