"""What the config sets and SageMaker does not heed, sets itself, or reads: labels, environment, ports, volumes."""

import re
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.at_rest import Still
from argosy.conformance.sources import CREATE_MODEL_PACKAGE, ISOLATION_PAGE, MULTI_MODEL_PAGE
from argosy.contract import (
    HOSTING_PAGE,
    LABEL_BIDIRECTIONAL,
    LABEL_BIND_TO_PORT,
    LABEL_MULTI_MODEL,
    MULTI_CONTAINER_PAGE,
    PORT,
    PlatformVariable,
)
from argosy.errors import InvalidReferenceError
from argosy.image.image import is_digest
from argosy.image.manifest import variables
from argosy.image.materials.secrets import search_config
from argosy.image.reference import RegistryReference, parse

_CAPABILITIES: Final = "com.amazonaws.sagemaker.capabilities."
_KNOWN_LABELS: Final = (LABEL_BIND_TO_PORT, LABEL_MULTI_MODEL, LABEL_BIDIRECTIONAL)
_PLATFORM_PATH: Final = re.compile(r"/opt/?|/opt/ml/?|/opt/ml/(model|models|input|additional-model-data-sources)(/.*)?")
_FIXED: Final = (
    PlatformVariable.BATCH,
    PlatformVariable.MAX_PAYLOAD,
    PlatformVariable.BATCH_STRATEGY,
    PlatformVariable.MAX_CONCURRENT_TRANSFORMS,
    PlatformVariable.MULTI_MODEL,
    PlatformVariable.SAFE_PORT_RANGE,
)
_CREDENTIALS: Final = re.compile(
    r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|ENDPOINT_URL(_\w+)?"
    r"|SHARED_CREDENTIALS_FILE|CONTAINER_CREDENTIALS_(RELATIVE|FULL)_URI|CONTAINER_AUTHORIZATION_TOKEN(_FILE)?)"
)
_PROXY: Final = re.compile(r"(?i)(https?|all|ftp)_proxy")
_LONGEST_NAME: Final = 255


def _labels(still: Still) -> Verdict:
    labels = {name: str(value) for name, value in (still.image.runtime.get("Labels") or {}).items()}
    ours = {name: value for name, value in labels.items() if name.lower().startswith(_CAPABILITIES)}
    seen = tuple(Evidence(f"LABEL {name}", value) for name, value in ours.items())
    misspelt = [name for name in ours if name not in _KNOWN_LABELS and name.lower() in _KNOWN_LABELS]
    if misspelt:
        return failed(f"`{misspelt[0]}` is not the label that SageMaker reads: it is lower case", *seen)
    wrong = [name for name in ours if name in _KNOWN_LABELS and ours[name] not in ("true", "false")]
    if wrong:
        return failed(f"`{wrong[0]}` is `{ours[wrong[0]]}`, and SageMaker reads `true`", *seen)
    others = [name for name in ours if name not in _KNOWN_LABELS]
    if others:
        return unknown(f"nobody wrote down what `{others[0]}` says; known are {', '.join(_KNOWN_LABELS)}", *seen)
    claimed = [name.removeprefix(_CAPABILITIES) for name, value in ours.items() if value == "true"]
    return passed(f"claims {', '.join(claimed)}" if claimed else "claims no capability")


def _bind_to_port(still: Still) -> Verdict:
    return _has_label(still, LABEL_BIND_TO_PORT)


def _multi_models(still: Still) -> Verdict:
    return _has_label(still, LABEL_MULTI_MODEL)


def _has_label(still: Still, label: str) -> Verdict:
    value = (still.image.runtime.get("Labels") or {}).get(label)
    if value != "true":
        got = "is not there" if value is None else f"is `{value}`"
        return failed(f"the label {got}", Evidence(f"LABEL {label}", "no such label" if value is None else str(value)))
    return passed(f"{label}=true")


def _health_check(still: Still) -> Verdict:
    found = still.image.runtime.get("Healthcheck")
    test = found.get("Test") if isinstance(found, dict) else None
    if isinstance(test, list) and test and test != ["NONE"]:
        return failed(
            "there is a HEALTHCHECK, which is never run", Evidence("HEALTHCHECK", " ".join(map(str, test[:2])))
        )
    return passed("no HEALTHCHECK")


def _stop_signal(still: Still) -> Verdict:
    signal = str(still.image.runtime.get("StopSignal") or "SIGTERM")
    if signal.upper() not in ("SIGTERM", "TERM", "15"):
        return failed(f"STOPSIGNAL is {signal}, and SIGTERM comes all the same", Evidence("STOPSIGNAL", signal))
    return passed("the server is stopped by SIGTERM")


def _port(still: Still) -> Verdict:
    found = still.image.runtime.get("ExposedPorts")
    ports = sorted(found) if isinstance(found, dict) else []
    if ports and f"{PORT}/tcp" not in ports:
        listed = ", ".join(ports)
        return failed(
            f"EXPOSE names {listed} and not {PORT}: does the server listen there?", Evidence("EXPOSE", listed)
        )
    return passed(f"EXPOSE names {PORT}" if ports else "EXPOSE names no port, and SageMaker does not read it")


def _volumes(still: Still) -> Verdict:
    found = still.image.runtime.get("Volumes")
    paths = [path for path in sorted(found if isinstance(found, dict) else []) if _PLATFORM_PATH.fullmatch(path)]
    if paths:
        return failed(f"VOLUME {paths[0]} lies where SageMaker mounts", *(Evidence("VOLUME", path) for path in paths))
    return passed("no VOLUME where SageMaker mounts")


def _environment(still: Still) -> Verdict:
    found = variables(still.image)
    secret = {one.name for one in search_config(still.image) if one.kind == "variable"}
    fixed = [name for name in _FIXED if name in found]
    if PlatformVariable.BIND_TO_PORT in found and found[PlatformVariable.BIND_TO_PORT] != str(PORT):
        fixed.append(PlatformVariable.BIND_TO_PORT)
    own = [name for name in found if _CREDENTIALS.fullmatch(name) and name not in secret]
    seen = (
        *(Evidence(f"ENV {name}", found[name][:100]) for name in fixed),
        *(Evidence(f"ENV {name}", "set, its value is not shown") for name in own),
    )
    if fixed:
        return failed(f"the image fixes `{fixed[0]}`, by which SageMaker tells what it wants", *seen)
    if own:
        return failed(f"the image sets `{own[0]}`, and there are neither credentials nor AWS's services", *seen)
    return passed(f"none of {len(found)} variables is SageMaker's own or about AWS credentials")


def _proxies(still: Still) -> Verdict:
    found = [name for name, value in variables(still.image).items() if _PROXY.fullmatch(name) and value]
    if found:
        seen = (Evidence(f"ENV {name}", "set, its value is not shown") for name in found)
        return failed(f"the image sets `{found[0]}`: it names a proxy that is not there", *seen)
    return passed("no proxy is set")


def _reference(still: Still) -> Verdict:
    try:
        place = parse(still.target) if still.target else None
    except InvalidReferenceError:
        place = None  # a project, which was built to be looked at
    if not isinstance(place, RegistryReference):
        return skipped("it was not named as an image in a registry")
    if len(place.name) > _LONGEST_NAME:
        return failed(f"the name has {len(place.name)} characters", Evidence("image", place.name))
    if not is_digest(place.digest):
        pinned = f"{place.registry}/{place.repository}@{still.image.digest}"
        return failed(f"a tag can be moved: the same image is {pinned}", Evidence("image", place.name))
    return passed("named by its digest")


_GROUP: Final[Group[Still]] = Group("image", Still)

CHECKS: Final[tuple[Check[Still], ...]] = (
    _GROUP.check(
        should(
            "image-labels",
            HOSTING_PAGE,
            "Labels that claim a capability of SageMaker's are spelt as it reads them, with the value `true`.",
            f'LABEL {LABEL_BIND_TO_PORT}="true", or remove the label',
            rows="C23 S04",
        ),
        _labels,
    ),
    _GROUP.check(
        must(
            "image-bind-to-port",
            MULTI_CONTAINER_PAGE,
            "An image of an inference pipeline has the label that it listens where SAGEMAKER_BIND_TO_PORT says.",
            f"have the server read SAGEMAKER_BIND_TO_PORT, then LABEL {LABEL_BIND_TO_PORT}=true",
            rows="C23 S04",
            only=(Profile.PIPELINE,),
        ),
        _bind_to_port,
    ),
    _GROUP.check(
        must(
            "image-multi-models",
            MULTI_MODEL_PAGE,
            "An image of a multi-model endpoint has the label that it loads and unloads models.",
            f"implement the /models API, then LABEL {LABEL_MULTI_MODEL}=true",
            rows="C23 S04",
            only=(Profile.MULTI_MODEL,),
        ),
        _multi_models,
    ),
    _GROUP.check(
        should(
            "image-environment",
            MULTI_CONTAINER_PAGE,
            "The image sets no variable that SageMaker itself sets, and none about AWS credentials.",
            "remove the ENV from the Dockerfile",
            rows="C18 N01 N05",
        ),
        _environment,
    ),
    _GROUP.check(
        should(
            "image-proxies",
            ISOLATION_PAGE,
            "The image names no HTTP proxy, through which the server would look for its own neighbours.",
            "pass proxies to the build only: docker build --build-arg HTTP_PROXY=..., which leaves no ENV",
            rows="N01 N02",
        ),
        _proxies,
    ),
    _GROUP.check(
        should(
            "image-volumes",
            HOSTING_PAGE,
            "No VOLUME lies where SageMaker mounts artifacts.",
            "remove the VOLUME from the Dockerfile; scratch files go to /tmp",
            rows="N03 N04",
        ),
        _volumes,
    ),
    _GROUP.check(
        fact(
            "image-healthcheck",
            HOSTING_PAGE,
            "Nothing relies on HEALTHCHECK: SageMaker asks GET /ping.",
            "let /ping tell what the HEALTHCHECK tells, and remove it",
            rows="C07 S02",
        ),
        _health_check,
    ),
    _GROUP.check(
        fact(
            "image-stop-signal",
            HOSTING_PAGE,
            "Nothing relies on STOPSIGNAL: SageMaker sends SIGTERM.",
            "end gracefully on SIGTERM, and remove STOPSIGNAL",
            rows="C13",
        ),
        _stop_signal,
    ),
    _GROUP.check(
        fact(
            "image-port",
            HOSTING_PAGE,
            "Nothing relies on EXPOSE: SageMaker connects to port 8080.",
            "listen on 0.0.0.0:8080, and EXPOSE 8080",
            rows="C04 F04",
        ),
        _port,
    ),
    _GROUP.check(
        should(
            "image-digest",
            CREATE_MODEL_PACKAGE,
            "The image is named by its digest, in at most 255 characters, so that what was checked is what is sold.",
            "put REPOSITORY@sha256:DIGEST into Image, as the finding writes it",
            rows="I06",
        ),
        _reference,
    ),
)
