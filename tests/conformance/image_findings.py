"""Images with one thing changed, and what is found of them at rest."""

from collections.abc import Mapping

from argosy.conformance.case import Case
from argosy.conformance.finding import Finding
from argosy.conformance.observing.at_rest import files_of
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by, judge
from argosy.conformance.scenes.at_rest import Archive, Room, Still
from argosy.image.image import Image
from tests.conformance.images import CLEAN_FILES, CLEAN_RUNTIME, File, make_image


def judge_image(
    image: Image, *, is_stored: bool = True, target: str = "", profile: Profile = Profile.SAGEMAKER
) -> Mapping[str, Finding]:
    case = Case.of(Still(image, is_stored, target), files_of(image), Archive("model.tar.gz", ()), Room(10**9, 10**9))
    found = judge(case, asked_by(profile), profile)
    return {finding.clause.id: finding for finding in found if finding.group == "image"}


def changed(files: Mapping[str, File | None], **runtime: object) -> Image:
    """The clean image with files added, replaced, or removed where None, and fields of its config."""
    merged = {path: file for path, file in {**CLEAN_FILES, **files}.items() if file is not None}
    return make_image(merged, {**CLEAN_RUNTIME, **runtime})


def with_files(**replaced: File | None) -> Image:
    """The same with paths as names: `__` stands for a slash, `_dot_` for a dot."""
    return changed({path.replace("__", "/").replace("_dot_", "."): file for path, file in replaced.items()})


def with_runtime(**fields: object) -> Image:
    return changed({}, **fields)


def with_env(*variables: str) -> Image:
    return with_runtime(Env=[*CLEAN_RUNTIME["Env"], *variables])
