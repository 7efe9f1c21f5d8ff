"""Where files lie and who may read them: what a mount hides, what another user than root cannot read."""

from pathlib import PurePosixPath
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed
from argosy.conformance.clause import should
from argosy.conformance.image_checks.program_files import paths
from argosy.conformance.image_checks.start_command import chain
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.at_rest import Files
from argosy.conformance.sources import SERVERLESS_PAGE
from argosy.contract import CHANNELS_DIR, HOSTING_PAGE, MODEL_DIR, MODELS_DIR

_MOUNTED: Final = tuple(f"{path.lstrip('/')}/" for path in (MODEL_DIR, MODELS_DIR, CHANNELS_DIR, "/opt/ml/input"))
_SHOWN: Final = 10


def _hidden(files: Files) -> Verdict:
    found = [entry for entry in files.filesystem if entry.path.startswith(_MOUNTED) and entry.kind != "directory"]
    if found:
        seen = (Evidence(f"/{entry.path}", f"{entry.size:,} bytes, in layer {entry.layer}") for entry in found[:_SHOWN])
        return failed(f"{len(found)} files lie where SageMaker mounts: /{found[0].path}", *seen)
    return passed("nothing lies where SageMaker mounts")


def _readable(files: Files) -> Verdict:
    started = [entry.path for path in chain(files) if (entry := files.filesystem.resolve(path))]
    wanted = dict.fromkeys(started, 0o005) | {path: 0o004 for path in paths(files) if path not in started}
    for path in list(wanted):
        wanted |= {str(folder): 0o001 for folder in PurePosixPath(path).parents if str(folder) != "."}
    found = [
        (path, entry.mode)
        for path in sorted(wanted)
        if (entry := files.filesystem.get(path)) and _is_shut(entry.mode, wanted[path])
    ]
    if found:
        seen = (Evidence(f"/{path}", f"mode {mode:04o}") for path, mode in found[:_SHOWN])
        return failed(f"{len(found)} files and folders of the program are shut to others: /{found[0][0]}", *seen)
    return passed(f"others than root may read the {len(wanted)} files and folders of the program")


def _is_shut(mode: int, wanted: int) -> bool:
    return mode & wanted != wanted


_GROUP: Final[Group[Files]] = Group("image", Files)

CHECKS: Final[tuple[Check[Files], ...]] = (
    _GROUP.check(
        should(
            "image-hidden-files",
            HOSTING_PAGE,
            "No file lies in the folders of /opt/ml where SageMaker mounts artifacts and hides what is there.",
            "copy the artifacts to another folder (/opt/model) and read /opt/ml/model first, or pack them: argosy pack",
            rows="A05 F14",
        ),
        _hidden,
    ),
    _GROUP.check(
        should(
            "image-readable",
            SERVERLESS_PAGE,
            "Any user may read the program: a serverless endpoint does not run it as root.",
            "RUN chmod -R o+rX /opt/program (the folder that the finding names)",
            rows="C15 S02",
            only=(Profile.SERVERLESS,),
        ),
        _readable,
        "image-serve",
    ),
)
