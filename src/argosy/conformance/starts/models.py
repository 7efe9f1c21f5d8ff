"""A container of a multi-model endpoint: the calls that SageMaker makes to load, list, invoke and unload models.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html (read 2026-11-22)
"""

import json
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from argosy.conformance import requests
from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import ENDPOINT_HEADERS, Exchange, Request
from argosy.conformance.scenes.endpoint import Invocations
from argosy.conformance.scenes.models import (
    Listing,
    Loading,
    ModelInvocations,
    ModelsStart,
    Unknown,
    Unloading,
    body_of,
)
from argosy.contract import HEADER_TARGET_MODEL, PlatformVariable
from argosy.simulator.backends.model_cache import opaque_name
from argosy.simulator.containers.container import Launch

_ARCHIVES: Final = ("first.tar.gz", "second.tar.gz", "third.tar.gz")
_MOST_PAGES: Final = 10
_LOAD_S: Final = 360.0
"""How long a load goes on after the first request was answered with 429: see `simulator.backends.model_cache`."""


def play(bench: Bench, case: Case) -> Case:
    """Start a container that has no model yet, and play the life of two.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    first, second, absent = (opaque_name(archive) for archive in _ARCHIVES)
    with tempfile.TemporaryDirectory(prefix="argosy-models-") as made:
        folder = Path(made) / "models"  # whoever the container runs as may read it, unlike the folder around it
        for name in (first, second):
            _copy(bench.model_dir, folder / name / "model")
        launch = Launch(environment={PlatformVariable.MULTI_MODEL: "true"}, models_dir=folder)
        with Trial(bench, launch) as trial:
            start = trial.start()
            found = Case.of(ModelsStart(start))
            if not start.is_healthy:
                return found
            found = found.joined(Case.of(_loading(trial, (first, second), absent)))
            if trial.is_alive():
                found = found.joined(_life(trial, bench, (first, second), absent))
    return found


def _life(trial: Trial, bench: Bench, names: tuple[str, str], absent: str) -> Case:
    listing = Listing(names, _pages(trial), trial.send(_get(f"/models/{names[0]}")))
    tried = _invocations(trial, bench, names[0])
    asked = (tried.baseline or tried.all[0]).request
    unknown = Unknown(
        trial.send(_get(f"/models/{absent}")),
        trial.send(_invoke(asked, absent, _ARCHIVES[2])),
        trial.send(_delete(absent)),
    )
    unloading = Unloading(
        trial.send(_delete(names[0]), _LOAD_S),
        trial.send(_get(f"/models/{names[0]}")),
        trial.send(_invoke(asked, names[0], _ARCHIVES[0])),
        trial.send(_load(trial, names[0]), _LOAD_S),
        trial.send(_get(f"/models/{names[1]}")),
    )
    return Case.of(listing, ModelInvocations(tried), unknown, unloading)


def _loading(trial: Trial, names: tuple[str, str], absent: str) -> Loading:
    loads = tuple(trial.send(_load(trial, name), _LOAD_S) for name in names)
    return Loading(names, (loads[0], loads[1]), trial.send(_load(trial, names[0])), trial.send(_load(trial, absent)))


def _pages(trial: Trial) -> tuple[Exchange, ...]:
    pages = [trial.send(_get("/models"))]
    while len(pages) < _MOST_PAGES and (token := body_of(pages[-1]).get("nextPageToken")):
        pages.append(trial.send(_get(f"/models?next_page_token={token}")))
    return tuple(pages)


def _invocations(trial: Trial, bench: Bench, name: str) -> Invocations:
    answers: list[Exchange] = []
    for request in (*bench.samples, *requests.generic()):
        answers.append(trial.send(_invoke(request, name, _ARCHIVES[0])))
        if answers[-1].is_success or not trial.is_alive():
            break
    count = min(len(bench.samples), len(answers))
    return Invocations(tuple(answers[:count]), tuple(answers[count:]))


def _get(path: str) -> Request:
    return Request("GET", path, ENDPOINT_HEADERS)


def _delete(name: str) -> Request:
    return Request("DELETE", f"/models/{name}", ENDPOINT_HEADERS)


def _load(trial: Trial, name: str) -> Request:
    url = f"{trial.container.models_path}/{name}/model"
    body = json.dumps({"model_name": name, "url": url}).encode()
    headers = (*ENDPOINT_HEADERS, ("Content-Type", requests.JSON))
    return Request("POST", "/models", headers, body, f"load of {name[:12]}…")


def _invoke(request: Request, name: str, archive: str) -> Request:
    changed = request.with_headers((HEADER_TARGET_MODEL, archive))
    return Request("POST", f"/models/{name}/invoke", changed.headers, request.body, request.name)


def _copy(artifacts: Path | None, folder: Path) -> None:
    """The artifacts once more, without their bytes where a second name of a file can be made."""
    folder.mkdir(parents=True)
    if artifacts is not None:
        shutil.copytree(artifacts, folder, copy_function=_linked, dirs_exist_ok=True)


def _linked(source: str, target: str) -> None:
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copy2(source, target)


ACT: Final = Act(
    "multi-model",
    (ModelsStart, Loading, Listing, ModelInvocations, Unknown, Unloading),
    play,
    needs_healthy=False,
)
