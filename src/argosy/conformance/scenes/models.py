"""A container of a multi-model endpoint: models loaded, listed, invoked, unloaded; and one that is not there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Invocations, Start


@dataclass(frozen=True, slots=True)
class ModelsStart:
    """The start of a container that is told to serve many models, and has none yet."""

    start: Start


@dataclass(frozen=True, slots=True)
class Loading:
    """Models being loaded.

    Attributes:
        names: Of the two models, made of the same artifacts.
        loads: `POST /models` for each.
        again: For the first one, once more.
        nowhere: For a folder that is not there.
    """

    names: tuple[str, str]
    loads: tuple[Exchange, Exchange]
    again: Exchange
    nowhere: Exchange


@dataclass(frozen=True, slots=True)
class Listing:
    """What the container says of its models.

    Attributes:
        names: Of the models that are loaded.
        pages: `GET /models`, page by page.
        one: `GET /models/NAME` of the first.
    """

    names: tuple[str, str]
    pages: tuple[Exchange, ...]
    one: Exchange

    @property
    def listed(self) -> tuple[str, ...] | None:
        """The names in the lists; None when one of them is no list of models."""
        found: list[str] = []
        for page in self.pages:
            models = body_of(page).get("models")
            if not isinstance(models, list):
                return None
            found += [str(model.get("modelName")) for model in models if isinstance(model, dict)]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class ModelInvocations:
    """Invocations of a model that is loaded.

    Attributes:
        tried: The samples and the generic requests, up to the first that was answered with 2xx.
    """

    tried: Invocations


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is answered of a model that was never loaded: description, invocation, unloading."""

    described: Exchange
    invoked: Exchange
    unloaded: Exchange


@dataclass(frozen=True, slots=True)
class Unloading:
    """A model unloaded.

    Attributes:
        unloaded: `DELETE /models/NAME`.
        described: The same model after that.
        invoked: Its invocation after that.
        reloaded: It is loaded again.
        other: The description of the other model meanwhile.
    """

    unloaded: Exchange
    described: Exchange
    invoked: Exchange
    reloaded: Exchange
    other: Exchange


def body_of(exchange: Exchange) -> Mapping[str, object]:
    """The JSON object of an answer; an empty one when there is none."""
    try:
        parsed = json.loads(exchange.body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
