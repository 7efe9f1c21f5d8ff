"""A container of a multi-model endpoint: the calls by which models come and go."""

from typing import Any, Final

from argosy.conformance.check import SAMPLE, Check, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.container_checks.startup import endings
from argosy.conformance.probes import Exchange
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.models import Listing, Loading, ModelInvocations, ModelsStart, Unknown, Unloading

_APIS: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html"


def _start(scene: ModelsStart) -> Verdict:
    start = scene.start
    if not start.is_healthy:
        return failed("it does not get healthy while it has no model", *endings(start))
    return passed(f"200 after {start.healthy_s:.1f} s, with no model loaded")


def _load(loading: Loading) -> Verdict:
    wrong = [exchange for exchange in loading.loads if exchange.status != 200]
    if len(wrong) == 1 and wrong[0].status == 507 and wrong[0] is loading.loads[1]:
        return passed("the first is loaded; for the second there is no memory, and 507 says so")
    return _wanted(wrong, "a model is not loaded with 200") or passed("two models are loaded")


def _load_again(loading: Loading) -> Verdict:
    wrong = [loading.again] if loading.again.status != 409 else []
    return _wanted(wrong, "a model that is loaded already is not answered with 409") or passed("409")


def _nowhere(loading: Loading) -> Verdict:
    if loading.nowhere.is_success or loading.nowhere.status is None:
        return failed("a model that is not there is loaded", loading.nowhere.evidence)
    return passed(f"{loading.nowhere.status}")


def _list(listing: Listing) -> Verdict:
    wrong = _wanted([page for page in listing.pages if page.status != 200], "GET /models is not answered with 200")
    if wrong is not None:
        return wrong
    listed = listing.listed
    pages = tuple(page.evidence for page in listing.pages)
    if listed is None:
        return failed('the answer is no JSON object with a list "models" of objects with "modelName"', *pages)
    if missing := [name for name in listing.names if name not in listed]:
        return failed(f"{len(missing)} of 2 models that are loaded are not listed", *pages)
    return passed(f"both are listed, on {len(pages)} page{'s' if len(pages) > 1 else ''}")


def _describe(listing: Listing) -> Verdict:
    wrong = [listing.one] if listing.one.status != 200 else []
    return _wanted(wrong, "GET /models/NAME of a loaded model is not answered with 200") or passed("200")


def _invoke(scene: ModelInvocations) -> Verdict:
    tried = scene.tried
    best = tried.baseline
    if best is not None and best.is_success:
        return passed(f"POST /models/NAME/invoke is answered with {best.status}", best.evidence)
    if all(exchange.status in (404, 405, 501, None) for exchange in tried.all):
        return failed("POST /models/NAME/invoke of a loaded model is not routed", tried.all[0].evidence)
    if tried.samples:
        return failed("the sample was not answered with 2xx", tried.samples[0].evidence)
    return unknown("no generic request was answered with 2xx", *(e.evidence for e in tried.all[:2]), decide=SAMPLE)


def _unknown(scene: Unknown) -> Verdict:
    answers = (scene.described, scene.invoked, scene.unloaded)
    wrong = [exchange for exchange in answers if exchange.status != 404]
    return _wanted(wrong, "a model that was never loaded is not answered with 404") or passed("three times 404")


def _unload(scene: Unloading) -> Verdict:
    if scene.unloaded.status != 200:
        return failed("DELETE /models/NAME of a loaded model is not answered with 200", scene.unloaded.evidence)
    left = [exchange for exchange in (scene.described, scene.invoked) if exchange.status != 404]
    if left:
        return failed("a model that was unloaded is still there", *(exchange.evidence for exchange in left))
    if scene.other.status != 200:
        return failed("with one model another one is unloaded", scene.other.evidence)
    if scene.reloaded.status != 200:
        return failed("a model that was unloaded cannot be loaded again", scene.reloaded.evidence)
    return passed("it is gone, the other one is not, and it can be loaded again")


def _wanted(wrong: list[Exchange], sentence: str) -> Verdict | None:
    """The failure when there are wrong answers."""
    return failed(sentence, *(exchange.evidence for exchange in wrong)) if wrong else None


_ONLY: Final = (Profile.MULTI_MODEL,)
_NAME: Final = "multi-model"
_START: Final[Group[ModelsStart]] = Group(_NAME, ModelsStart)
_LOADING: Final[Group[Loading]] = Group(_NAME, Loading, needs=("models-start",))
_LISTING: Final[Group[Listing]] = Group(_NAME, Listing, needs=("models-load",))
_INVOCATIONS: Final[Group[ModelInvocations]] = Group(_NAME, ModelInvocations, needs=("models-load",))
_UNKNOWN: Final[Group[Unknown]] = Group(_NAME, Unknown, needs=("models-load",))
_UNLOADING: Final[Group[Unloading]] = Group(
    _NAME, Unloading, needs=("models-load", "models-describe", "models-invoke", "models-unknown")
)

CHECKS: Final[tuple[Check[Any], ...]] = (  # a scene type for each group, hence Any
    _START.check(
        must(
            "models-start",
            _APIS,
            "GET /ping is answered with 200 while no model is loaded.",
            "answer /ping for the server and not for its models when SAGEMAKER_MULTI_MODEL is true",
            only=_ONLY,
        ),
        _start,
    ),
    _LOADING.check(
        must(
            "models-load",
            _APIS,
            "POST /models loads a model from its folder and is answered with 200, or with 507 for want of memory.",
            'read {"model_name": …, "url": …}, load the model from the folder `url`, and answer 200 then',
            only=_ONLY,
        ),
        _load,
    ),
    _LOADING.check(
        must(
            "models-load-again",
            _APIS,
            "POST /models of a model that is loaded is answered with 409.",
            "keep a table of the loaded models by name, and answer 409 for one that is in it",
            only=_ONLY,
        ),
        _load_again,
        "models-load",
    ),
    _LOADING.check(
        should(
            "models-load-missing",
            _APIS,
            "POST /models of a folder that is not there is not answered with 2xx.",
            "load the model before you answer; 400 for what is no model, 507 for want of memory",
            only=_ONLY,
        ),
        _nowhere,
        "models-load",
    ),
    _LISTING.check(
        must(
            "models-list",
            _APIS,
            "GET /models lists the loaded models, page by page where there are many.",
            'answer {"models": [{"modelName": …, "modelUrl": …}]}, and nextPageToken where there are more',
            only=_ONLY,
        ),
        _list,
    ),
    _LISTING.check(
        must(
            "models-describe",
            _APIS,
            "GET /models/NAME of a loaded model is answered with 200.",
            'answer {"modelName": …, "modelUrl": …}',
            only=_ONLY,
        ),
        _describe,
    ),
    _INVOCATIONS.check(
        must(
            "models-invoke",
            _APIS,
            "POST /models/NAME/invoke is answered by that model.",
            "route POST /models/NAME/invoke to the model of that name, as POST /invocations is to a single one",
            only=_ONLY,
        ),
        _invoke,
    ),
    _UNKNOWN.check(
        must(
            "models-unknown",
            _APIS,
            "Whatever is asked of a model that is not loaded is answered with 404.",
            "look the name up first, and answer 404 where it is not: SageMaker loads the model then",
            only=_ONLY,
        ),
        _unknown,
    ),
    _UNLOADING.check(
        must(
            "models-unload",
            _APIS,
            "DELETE /models/NAME unloads that model and no other, and it can be loaded again.",
            "forget the model and free what it holds before you answer with 200",
            only=_ONLY,
        ),
        _unload,
    ),
)
