"""The model package: its name, what it takes and gives, how large it is, and the request that makes it."""

import re
from typing import Final

from argosy import media_type
from argosy.aws.ecr import registry_of
from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.project_checks.wording import SOLD
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.sources import (
    BATCH_STORAGE,
    CREATE_MODEL_PACKAGE,
    INFERENCE_SPECIFICATION,
    MARKETPLACE_QUOTAS,
    MARKETPLACE_RESOURCE,
)
from argosy.contract import INVOCATION
from argosy.marketplace.model_package import package_name

LONGEST_NAME: Final = 63
LONGEST_DESCRIPTION: Final = 1024
MOST_VARIABLES: Final = 16
LONGEST_VALUE: Final = 1024
LONGEST_CONTENT_TYPE: Final = 256
_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_VARIABLE: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}")
_RESPONSE_TYPE: Final = re.compile(r"[-\w]+/.+")
_MB: Final = 10**6
_GB: Final = 10**9
_VOLUME_GB: Final = 30
_LARGE_GB: Final = 10
_STREAM_S: Final = 480.0
_BUILT_IN: Final = frozenset(
    {
        "blazingtext", "factorization-machines", "forecasting-deepar", "image-classification", "ipinsights", "kmeans",
        "knn", "lda", "linear-learner", "ntm", "object-detection", "object2vec", "pca", "randomcutforest",
        "semantic-segmentation", "seq2seq",
    }
)  # fmt: skip
"""Repositories of SageMaker's built-in algorithms (sagemaker-python-sdk, `image_uri_config`, read 2026-11-23)."""


def _name(facts: ProjectFacts) -> Verdict:
    name = package_name(facts.table)
    if not facts.table.name:
        return failed("`marketplace.name` is not said")
    if len(name) > LONGEST_NAME:
        return failed(f"`{name}` has {len(name)} characters, want at most {LONGEST_NAME}")
    if not _NAME.fullmatch(name):
        return failed(f"`{name}` has something else than letters, digits, and hyphens between them")
    return passed(f"`{name}`")


def _description(facts: ProjectFacts) -> Verdict:
    text = facts.table.description
    if len(text) > LONGEST_DESCRIPTION:
        return failed(f"{len(text):,} characters, want at most {LONGEST_DESCRIPTION:,}")
    if not all(letter.isprintable() or letter.isspace() for letter in text) or re.search(r"[\t\n\r\v\f]", text):
        return failed("it has line breaks or control characters")
    return passed(f"{len(text)} characters")


def _environment(facts: ProjectFacts) -> Verdict:
    variables = facts.table.environment
    if len(variables) > MOST_VARIABLES:
        return failed(f"{len(variables)} variables, want at most {MOST_VARIABLES}")
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name):
            return failed(f"`{name[:80]}` is no name of a variable")
        if len(value) > LONGEST_VALUE:
            return failed(f"`{name}` has {len(value):,} characters, want at most {LONGEST_VALUE:,}")
    return passed(f"{len(variables)} variables")


def _media_types(facts: ProjectFacts) -> Verdict:
    taken, given = facts.types.content_types, facts.types.response_types
    if not taken:
        return failed("neither `marketplace.content_types` nor `serving.content_types` is said")
    for text in (*taken, *given):
        parsed = media_type.parse(text)
        if parsed is None or "*" in parsed.essence:
            return failed(f"`{text[:80]}` is no media type")
        if len(text) > LONGEST_CONTENT_TYPE:
            return failed(f"`{text[:80]}…` has {len(text)} characters, want at most {LONGEST_CONTENT_TYPE}")
    for text in given:
        if not _RESPONSE_TYPE.fullmatch(text):
            return failed(f"`{text}` is no response type: the API wants letters, digits, `_` and `-` before the slash")
    served = facts.serving.content_types
    if served is not None:
        known = {_essence(text) for text in served}
        strangers = [text for text in taken if _essence(text) not in known]  # an answer may have a type of its own
        if strangers:
            seen = Evidence("serving.content_types", ", ".join(served))
            return failed(f"`{strangers[0]}` is not among `serving.content_types`", seen)
    return passed(f"takes {', '.join(taken)}; gives {', '.join(given)}")


def _volume(facts: ProjectFacts) -> Verdict:
    artifacts = facts.artifacts_bytes if facts.has_archive or facts.image_bytes is None else 0  # else they are in it
    size = artifacts + (facts.image_bytes or 0)
    what = "artifacts, without the image," if facts.image_bytes is None else "image and artifacts"
    seen = Evidence(what, f"{size / _MB:,.1f} MB unpacked")
    if size > _VOLUME_GB * _GB:
        return failed(f"{what} have {size / _GB:.1f} GB; a transform job has {_VOLUME_GB} GB for all", seen)
    if facts.image_bytes is None:
        return unknown("how large the image is, is not known before it is built", seen)
    return passed(f"{seen.received}{', which makes starts slow' if size > _LARGE_GB * _GB else ''}", seen)


def _own_model(facts: ProjectFacts) -> Verdict:
    host, _, path = facts.base.partition("/")
    registry = registry_of(host)
    repository = re.split(r"[:@]", path)[0]
    if registry is not None and repository in _BUILT_IN and registry.account != facts.table.account.id:
        return failed(f"the base image is SageMaker's built-in algorithm `{repository}`", Evidence("base", facts.base))
    return passed(f"the base image is `{facts.base}`; the package names no algorithm of others")


def _deadlines(facts: ProjectFacts) -> Verdict:
    deadline, stream = facts.serving.deadline_s, facts.serving.stream_deadline_s
    if deadline is not None and deadline > INVOCATION.value:
        return failed(f"`serving.deadline_s` is {deadline:g}; an endpoint's client hears nothing after 60 seconds")
    if stream > _STREAM_S:
        return failed(f"`serving.stream_deadline_s` is {stream:g}; an endpoint ends a stream after {_STREAM_S:g}")
    return passed("invocations and streams end before the endpoint ends them")


def _request(facts: ProjectFacts) -> Verdict:
    if facts.api is None:
        return unknown("botocore, which has the API's model, is not installed: pip install 'argosy[aws]'")
    seen = tuple(Evidence("CreateModelPackage", sentence) for sentence in facts.api.violations[:10])
    if seen:
        return failed(facts.api.violations[0], *seen)
    return passed(f"{facts.api.source} finds nothing: unversioned, certified for AWS Marketplace, one container")


def _essence(text: str) -> str:
    parsed = media_type.parse(text)
    return parsed.essence if parsed else text


_GROUP: Final[Group[ProjectFacts]] = Group("package", ProjectFacts)

CHECKS: Final[tuple[Check[ProjectFacts], ...]] = (
    _GROUP.check(
        must(
            "package-name",
            CREATE_MODEL_PACKAGE,
            "The model package's name, with its version, has 1 to 63 letters, digits, and hyphens between them.",
            'set name = "vehicle-detector" and version = "1.0.0" in [marketplace]',
            rows="L07",
            only=SOLD,
        ),
        _name,
    ),
    _GROUP.check(
        must(
            "package-description",
            CREATE_MODEL_PACKAGE,
            "The model package's description is one line of at most 1024 characters.",
            "shorten description in [marketplace]; the product's page has its own, in [marketplace.listing]",
            rows="L08",
            only=SOLD,
        ),
        _description,
    ),
    _GROUP.check(
        must(
            "package-environment",
            CREATE_MODEL_PACKAGE,
            "The package's container has at most 16 variables, each of at most 1024 characters.",
            "put long settings into the artifacts, or into [image.environment]",
            rows="L10",
            only=SOLD,
        ),
        _environment,
    ),
    _GROUP.check(
        must(
            "package-media-types",
            INFERENCE_SPECIFICATION,
            "The package names the media types that it takes and gives, and the server takes them all.",
            'set content_types = ["text/csv"] and response_types = ["application/json"] in [marketplace]',
            rows="L11 V04",
            only=SOLD,
        ),
        _media_types,
    ),
    _GROUP.check(
        must(
            "package-volume",
            BATCH_STORAGE,
            "Image and artifacts, unpacked, fit on the 30 GB that a transform job has.",
            "leave what inference does not need out of artifacts and image: optimizer states, checkpoints, build tools",
            rows="A05 F11",
            only=SOLD,
        ),
        _volume,
    ),
    _GROUP.check(
        must(
            "package-own-model",
            MARKETPLACE_QUOTAS,
            "The package is no built-in algorithm of SageMaker's and no other seller's.",
            "serve the model with an image of your own: set base in [image] to `debian` or another base image",
            rows="V11",
            only=SOLD,
        ),
        _own_model,
    ),
    _GROUP.check(
        should(
            "serving-deadlines",
            MARKETPLACE_QUOTAS,
            "The server gives up before the endpoint does: 60 seconds, 8 minutes for a stream.",
            "leave deadline_s and stream_deadline_s out of [serving]: the defaults fit endpoints and transform jobs",
            rows="L03 L04",
            only=SOLD,
        ),
        _deadlines,
    ),
)

REQUEST: Final = _GROUP.check(
    must(
        "package-request",
        MARKETPLACE_RESOURCE,
        "CreateModelPackage takes the request: unversioned, certified for AWS Marketplace, one container, one profile.",
        "change what the sentence names; the fields of argosy.toml are in docs/reference/argosy-toml.md",
        rows="V01 V02 L09 N10 F18",
        only=SOLD,
    ),
    _request,
    "package-name",
    "package-description",
    "package-environment",
    "package-media-types",
    "instance-types",
    "validation-role",
    "validation-instance",
    "validation-options",
    "validation-payload",
    "repository",
    "image-reference",
    "bucket-name",
)
"""What no other clause finds; so it comes behind those whose faults it would find too."""
