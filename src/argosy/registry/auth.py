"""Who we are to a registry: Docker's config.json, and the challenges and scopes of the token protocol.

Source: distribution.github.io/distribution/spec/auth/token and /scope; docs.docker.com, "docker login" (read
2026-11-22).
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argosy.errors import RegistryError
from argosy.image.reference import DOCKER_HUB

CONFIG_NAME: Final = "config.json"
_HUB_KEY: Final = "https://index.docker.io/v1/"
_BEARER: Final = re.compile(r"(?:^|,)\s*(bearer\s.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(r'([A-Za-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Credentials:
    """What Docker's config knows of a registry.

    Attributes:
        user: Empty when nothing is known.
        password: Never shown.
        identity_token: Stands in for both, where the registry gave one.
        helper: Name of the credential store (`docker-credential-NAME`) that the config asks for, or that gave them.
        trouble: Why there are none, where a credential store failed.
    """

    user: str = ""
    password: str = ""
    identity_token: str = ""
    helper: str = ""
    trouble: str = ""

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, helper={self.helper!r}, known={self.is_known})"

    @property
    def is_known(self) -> bool:
        """Whether there is something to log in with."""
        return bool(self.user or self.identity_token)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A WWW-Authenticate header: `basic` or `bearer`, and its parameters."""

    scheme: str
    parameters: dict[str, str]


def read_credentials(registry: str, docker_config: Path) -> Credentials:
    """What `docker login` left for a registry.

    Raises:
        RegistryError: The file is not what Docker writes; its content is not shown.
    """
    path = docker_config / CONFIG_NAME
    try:
        config: Any = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return Credentials()
    except ValueError:
        raise RegistryError("not a JSON file", where=path) from None
    if not isinstance(config, dict):
        raise RegistryError("not a JSON object", where=path)
    keys = [registry, f"https://{registry}", f"http://{registry}", f"https://{registry}/v1/", f"https://{registry}/v2/"]
    if registry == DOCKER_HUB:
        keys.append(_HUB_KEY)
    helpers, entries = _table(config, "credHelpers"), _table(config, "auths")
    for key in keys:
        if helpers.get(key):
            return Credentials(helper=str(helpers[key]))
    for key in keys:
        entry = entries.get(key)
        if isinstance(entry, dict):
            found = _credentials(entry, path)
            if found.is_known:
                return found
    return Credentials(helper=str(config.get("credsStore") or ""))


def server_key(registry: str) -> str:
    """The name under which `docker login` puts a registry into a credential store."""
    return _HUB_KEY if registry == DOCKER_HUB else registry


def parse_challenge(header: str) -> Challenge:
    """Read a WWW-Authenticate header; where it names several ways, the token protocol is taken.

    >>> parse_challenge('Bearer realm="https://auth.example/token",service="r"').parameters["service"]
    'r'
    """
    bearer = _BEARER.search(header)
    scheme, _, rest = (bearer.group(1) if bearer else header.strip()).partition(" ")
    return Challenge(scheme.lower(), {name.lower(): value for name, value in _PARAMETER.findall(rest)})


def join_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Each resource once, with all the actions that are asked for on it.

    >>> join_scopes(["repository:a:pull", "repository:b:pull", "repository:a:push,pull"])
    ('repository:a:pull,push', 'repository:b:pull')
    """
    actions: dict[str, set[str]] = {}
    for scope in scopes:
        resource, _, listed = scope.rpartition(":")
        actions.setdefault(resource, set()).update(listed.split(","))
    return tuple(f"{resource}:{','.join(sorted(listed))}" for resource, listed in actions.items())


def _table(config: dict[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _credentials(entry: dict[str, Any], path: Path) -> Credentials:
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        try:
            user, _, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise RegistryError("`auth` of a registry is not base64 of user:password", where=path) from None
    return Credentials(user, password.rstrip("\0"), str(entry.get("identitytoken") or ""))
