"""What an image says of itself, ready to be shown: no value that seems to be a secret leaves this module."""

import json
from collections.abc import Callable
from typing import Any, Final

from argosy.image.image import Image

Conceal = Callable[[str, str], bool]
"""Whether the text of that name (of a variable, a label; empty for a build step) is to be hidden."""

HIDDEN: Final = "(hidden: seems to be a secret)"


def settings(image: Image) -> dict[str, str]:
    """What a container is started with and the image is called by, flat: `entrypoint`, `env NAME`, `label NAME` ...

    Secrets are not hidden yet: values of two images can be compared.
    """
    runtime = image.runtime
    found = {
        "platform": f"{image.config.get('os')}/{image.config.get('architecture')}",
        "entrypoint": _listed(runtime.get("Entrypoint")),
        "command": _listed(runtime.get("Cmd")),
        "working dir": str(runtime.get("WorkingDir") or ""),
        "user": str(runtime.get("User") or ""),
        "ports": ", ".join(sorted(_table(runtime.get("ExposedPorts")))),
        "volumes": ", ".join(sorted(_table(runtime.get("Volumes")))),
        "stop signal": str(runtime.get("StopSignal") or ""),
        "health check": _listed(_table(runtime.get("Healthcheck")).get("Test")),
    }
    for variable in runtime.get("Env") or ():
        name, _, value = str(variable).partition("=")
        found[f"env {name}"] = value
    for name, value in sorted((runtime.get("Labels") or {}).items()):
        found[f"label {name}"] = str(value)
    return {name: value for name, value in found.items() if value or name.startswith(("env ", "label "))}


def shown_settings(image: Image, conceal: Conceal) -> dict[str, str]:
    """The same with what seems to be a secret hidden."""
    return {encodable(name): shown(name, value, conceal) for name, value in settings(image).items()}


def shown(name: str, value: str, conceal: Conceal) -> str:
    """A value, unless it seems to be a secret."""
    return HIDDEN if conceal(name.partition(" ")[2], value) else encodable(value)


def encodable(text: str) -> str:
    """A text that every output takes: what is no UTF-8 in a path, or no character in JSON, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def steps(image: Image, conceal: Conceal) -> tuple[str, ...]:
    """What each layer was made by, as the history tells it; empty texts where it tells of other layers."""
    history: Any = image.config.get("history")
    entries = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    told = [str(entry.get("created_by") or "") for entry in entries if not entry.get("empty_layer")]
    if len(told) != len(image.layers):
        return ("",) * len(image.layers)
    return tuple(shown("", _plain(step), conceal) for step in told)


def _plain(step: str) -> str:
    """A step without what builders put around it."""
    for prefix in ("/bin/sh -c #(nop) ", "/bin/sh -c ", "argosy: "):
        step = step.removeprefix(prefix)
    return " ".join(step.removesuffix("# buildkit").split())


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> str:
    return "" if not value else value if isinstance(value, str) else json.dumps(value)
