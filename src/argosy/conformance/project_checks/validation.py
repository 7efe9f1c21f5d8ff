"""The transform job by which AWS validates the package: its role, its samples, its limits."""

import io
import json
import re
from collections.abc import Callable
from typing import Final

from argosy import media_type
from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.project_checks.wording import SOLD
from argosy.conformance.scenes.project import NamedFile, ProjectFacts
from argosy.conformance.sources import (
    BATCH_ERRORS,
    MARKETPLACE_QUOTAS,
    MARKETPLACE_SECURITY,
    MODEL_PACKAGE_PAGE,
    VALIDATION_SPECIFICATION,
)
from argosy.contract import BATCH_PAYLOAD_MB, CREATE_TRANSFORM_JOB, ENDPOINT_BODY, megabytes
from argosy.image.materials import signs
from argosy.marketplace.model_package import recommended

ROLE_ARN: Final = re.compile(r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_RESULT: Final = ".out"
SPLIT_TYPES: Final = ("None", "Line", "RecordIO", "TFRecord")
STRATEGIES: Final = ("SingleRecord", "MultiRecord")
ASSEMBLIES: Final = ("None", "Line")


def _role(facts: ProjectFacts) -> Verdict:
    role = facts.table.validation.role
    if not role:
        return failed("`marketplace.validation.role` is not said")
    if not ROLE_ARN.fullmatch(role):
        return failed(f"`{role[:80]}` is no ARN of a role", Evidence("marketplace.validation.role", role[:200]))
    return passed(f"`{role}`")


def _samples(facts: ProjectFacts) -> Verdict:
    folder = facts.samples
    if folder is None:
        return failed("`marketplace.validation.samples` names no folder")
    if folder.fault:
        return failed(f"`{folder.path}` {folder.fault}")
    if not folder.files:
        return failed(f"`{folder.path}` is empty: the job would have nothing to do")
    for file in folder.files:
        if file.fault:
            return failed(f"`{file.path}` {file.fault}")
        if file.size == 0:
            return failed(f"`{file.path}` is empty")
    return passed(f"{len(folder.files)} files", Evidence(folder.path, ", ".join(f.path for f in folder.files[:5])))


def _types(facts: ProjectFacts) -> Verdict:
    said = facts.table.validation
    for field, text, known in (
        ("content_type", said.content_type, facts.types.content_types),
        ("accept", said.accept, facts.types.response_types),
    ):
        if text is not None and _essence(text) not in {_essence(one) for one in known}:
            return failed(
                f"`marketplace.validation.{field}` is `{text[:80]}`, which the package does not name",
                Evidence("the package names", ", ".join(known)),
            )
    return passed(f"`{_content_type(facts)}` is sent")


def _options(facts: ProjectFacts) -> Verdict:
    said = facts.table.validation
    for field, text, words in (
        ("split_type", said.split_type, SPLIT_TYPES),
        ("batch_strategy", said.batch_strategy, STRATEGIES),
        ("assemble_with", said.assemble_with, ASSEMBLIES),
    ):
        if text not in words:
            return failed(f"`marketplace.validation.{field}` is `{text[:80]}`, want one of: {', '.join(words)}")
    return passed(
        f"SplitType {said.split_type}, BatchStrategy {said.batch_strategy}, AssembleWith {said.assemble_with}"
    )


def _each_type(facts: ProjectFacts) -> Verdict:
    found = facts.samples_by_type()
    essences = {_essence(name) for name in found}
    seen = tuple(Evidence(content_type, file.path) for content_type, file in found.items())
    if not facts.types.content_types:
        return skipped("the package names no content types")
    lacking = [f"`{name}`" for name in facts.types.content_types if _essence(name) not in essences]
    if lacking:
        return unknown(f"there is no small sample of {', '.join(lacking)}: it was not tried", *seen)
    return passed(", ".join(f"`{name}`" for name in found), *seen)


def _instance(facts: ProjectFacts) -> Verdict:
    chosen = facts.table.validation.instance_type or recommended(facts.table.instances)[1]
    if chosen not in facts.table.instances.batch:
        return failed(f"the job runs on `{chosen}`, which the package does not support for transform jobs")
    return passed(f"`{chosen}`")


def _payload(facts: ProjectFacts) -> Verdict:
    said = facts.table.validation
    limit = int(BATCH_PAYLOAD_MB.value)
    payload, concurrent = said.max_payload_mb, said.max_concurrent_transforms
    if not 0 <= payload <= limit:
        return failed(f"`marketplace.validation.max_payload_mb` is {payload}, want 0 to {limit}")
    if concurrent < 0 or payload * concurrent > limit:
        return failed(f"{concurrent} requests at a time of {payload} MB are more than {limit} MB")
    if said.split_type == "None" and payload and facts.samples is not None:
        large = [file for file in facts.samples.files if file.size > megabytes(payload)]
        if large:
            return failed(
                f"`{large[0].path}` is larger than a request of {payload} MB may be, and not split",
                Evidence(large[0].path, f"{large[0].size:,} bytes"),
            )
    return passed(f"{concurrent} at a time of at most {payload} MB")


def _readable(facts: ProjectFacts) -> Verdict:
    reader = _READERS.get(_essence(_content_type(facts)))
    files = facts.samples.files if facts.samples else ()
    if reader is None:
        return skipped(f"`{_content_type(facts)}` is not read here")
    if facts.table.validation.split_type not in ("None", "Line"):
        return skipped(f"records in frames ({facts.table.validation.split_type}) are not read here")
    for file in files:
        fault = _unreadable(file, reader)
        if fault:
            return failed(f"`{file.path}` is no {_essence(_content_type(facts))}", Evidence(file.path, fault))
    read = sum(file.is_whole for file in files)
    return passed(f"{read} of {len(files)} files are what they are sent as")


def _public(facts: ProjectFacts) -> Verdict:
    for file in facts.samples.files if facts.samples else ():
        if signs.has_secret_path(file.path):
            return failed(f"`{file.path}` usually holds secrets")
        if what := signs.secret_in_file(file.path, io.BytesIO(file.head)):
            return failed(f"`{file.path}` holds {what}")
    return passed("no sample seems to hold a key or a token")


def _expected(facts: ProjectFacts) -> Verdict:
    folder = facts.expected
    if folder is None:
        return skipped("`marketplace.validation.expected` names no folder: results are compared with nothing")
    if folder.fault:
        return failed(f"`{folder.path}` {folder.fault}")
    inputs = facts.samples
    wanted = {file.path.removeprefix(f"{inputs.path}/") + _RESULT for file in inputs.files} if inputs else set()
    found = {file.path.removeprefix(f"{folder.path}/") for file in folder.files}
    if lacking := sorted(wanted - found):
        return failed(f"no result is expected of a sample: `{folder.path}/{lacking[0]}` is not there")
    if stray := sorted(found - wanted):
        return failed(f"`{folder.path}/{stray[0]}` is expected of no sample")
    return passed(f"{len(found)} results")


def _endpoint_sizes(facts: ProjectFacts) -> Verdict:
    large = [file for file in (facts.samples.files if facts.samples else ()) if file.size > ENDPOINT_BODY.value]
    if large and facts.table.validation.split_type == "None":
        return failed(f"`{large[0].path}` is larger than an endpoint's requests may be: 25 MB")
    return passed("an endpoint would take each of them too")


def _content_type(facts: ProjectFacts) -> str:
    return facts.table.validation.content_type or next(iter(facts.types.content_types), "")


def _essence(text: str) -> str:
    parsed = media_type.parse(text)
    return parsed.essence if parsed else text


def _unreadable(file: NamedFile, reader: Callable[[str], None]) -> str | None:
    """Why a whole small file is not what it is sent as; a large one is not judged."""
    if not file.is_whole:
        return None
    try:
        reader(file.head.decode())
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except ValueError as error:
        return str(error)[:200]
    except RecursionError:
        return "it is nested too deeply"
    return None


def _read_json(text: str) -> None:
    json.loads(text)


def _read_lines(text: str) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None


def _read_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("it has a NUL character")


_READERS: Final[dict[str, Callable[[str], None]]] = {
    "application/json": _read_json,
    "application/jsonlines": _read_lines,
    "text/csv": _read_text,
    "text/plain": _read_text,
}

_GROUP: Final[Group[ProjectFacts]] = Group("validation", ProjectFacts)

CHECKS: Final[tuple[Check[ProjectFacts], ...]] = (
    _GROUP.check(
        must(
            "validation-role",
            VALIDATION_SPECIFICATION,
            "The role of the validation is named by its whole ARN.",
            "aws iam get-role --role-name NAME --query Role.Arn, and set role in [marketplace.validation] to it",
            rows="V05 F20",
            only=SOLD,
        ),
        _role,
    ),
    _GROUP.check(
        must(
            "validation-samples",
            MODEL_PACKAGE_PAGE,
            "There is a sample for the validation, and none is empty.",
            'put a body that the model understands into a folder; set samples = "FOLDER" in [marketplace.validation]',
            rows="V06",
            only=SOLD,
        ),
        _samples,
    ),
    _GROUP.check(
        must(
            "validation-types",
            MODEL_PACKAGE_PAGE,
            "Samples are sent, and results asked for, as a media type that the package supports.",
            "take content_type and accept out of [marketplace.validation], or add them to the lists of [marketplace]",
            rows="V06 V04",
            only=SOLD,
        ),
        _types,
        "package-media-types",
    ),
    _GROUP.check(
        must(
            "validation-options",
            CREATE_TRANSFORM_JOB,
            "SplitType, BatchStrategy and AssembleWith of the validation's job are words of the API.",
            "take split_type, batch_strategy and assemble_with out of [marketplace.validation]: the defaults are good",
            rows="V05",
            only=SOLD,
        ),
        _options,
    ),
    _GROUP.check(
        must(
            "sample-types",
            MODEL_PACKAGE_PAGE,
            "Each content type that the package names has a sample, so that the container can be asked with it.",
            "name a file of it as batch_sample in [marketplace.usage.input], or take the type out of content_types",
            rows="V04",
            only=SOLD,
        ),
        _each_type,
        "package-media-types",
        "validation-samples",
        "validation-types",
    ),
    _GROUP.check(
        must(
            "validation-instance",
            VALIDATION_SPECIFICATION,
            "The validation runs on an instance type that the package supports for transform jobs.",
            "take instance_type out of [marketplace.validation]: the recommended one is taken",
            rows="V05",
            only=SOLD,
        ),
        _instance,
        "instance-types",
        "instance-recommended",
    ),
    _GROUP.check(
        must(
            "validation-payload",
            CREATE_TRANSFORM_JOB,
            "MaxPayloadInMB, also times MaxConcurrentTransforms, is at most 100, and no sample is larger.",
            "set max_payload_mb and max_concurrent_transforms in [marketplace.validation], or split_type, or a smaller"
            " sample",
            rows="L02",
            only=SOLD,
        ),
        _payload,
    ),
    _GROUP.check(
        should(
            "validation-readable",
            BATCH_ERRORS,
            "Each sample is what it is sent as: one bad record fails the job.",
            "mend the sample, or set content_type in [marketplace.validation]",
            rows="V06 F29",
            only=SOLD,
        ),
        _readable,
        "validation-samples",
        "validation-types",
    ),
    _GROUP.check(
        must(
            "validation-public",
            MARKETPLACE_SECURITY,
            "The samples hold nothing that must not be seen: AWS asks for public data only.",
            "take it out of the samples, and revoke what was found",
            rows="V06",
            only=SOLD,
        ),
        _public,
        "validation-samples",
    ),
    _GROUP.check(
        should(
            "validation-expected",
            MODEL_PACKAGE_PAGE,
            "Where results are compared, there is one for each sample: NAME.out.",
            "argosy simulate the job once, look at its results, and keep them in the folder of expected",
            rows="V07",
            only=SOLD,
        ),
        _expected,
        "validation-samples",
    ),
    _GROUP.check(
        fact(
            "validation-endpoint",
            MARKETPLACE_QUOTAS,
            "An endpoint takes bodies of at most 25 MB; larger samples can be used by transform jobs alone.",
            "give a sample of at most 25 MB too",
            rows="L01 V07",
            only=SOLD,
        ),
        _endpoint_sizes,
        "validation-samples",
    ),
)
