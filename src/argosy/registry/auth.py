"""Who we are to a registry: Docker's config.json, and the challenges of the token protocol.

Source: distribution.github.io/distribution/spec/auth/token; docs.docker.com, "docker login" (read 2026-11-22).
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argosy.errors import RegistryError
from argosy.image.reference import DOCKER_HUB

CONFIG_NAME: Final = "config.json"
_HUB_KEY: Final = "https://index.docker.io/v1/"
_PARAMETER: Final = re.compile(r'([A-Za-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Credentials:
    """What Docker's config knows of a registry.

    Attributes:
        user: Empty when nothing is known.
        password: Never shown.
        identity_token: Stands in for both, where the registry gave one.
        helper: Name of a credential helper that the config asks for; helpers are not called.
    """

    user: str = ""
    password: str = ""
    identity_token: str = ""
    helper: str = ""

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
    helpers = config.get("credHelpers") or {}
    helper = next((str(helpers[key]) for key in keys if key in helpers), str(config.get("credsStore") or ""))
    for key in keys:
        entry = (config.get("auths") or {}).get(key)
        if isinstance(entry, dict):
            found = _credentials(entry, helper, path)
            if found.is_known:
                return found
    return Credentials(helper=helper)


def parse_challenge(header: str) -> Challenge:
    """Read a WWW-Authenticate header.

    >>> parse_challenge('Bearer realm="https://auth.example/token",service="r"').parameters["service"]
    'r'
    """
    scheme, _, rest = header.strip().partition(" ")
    return Challenge(scheme.lower(), {name.lower(): value for name, value in _PARAMETER.findall(rest)})


def _credentials(entry: dict[str, Any], helper: str, path: Path) -> Credentials:
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        try:
            user, _, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise RegistryError("`auth` of a registry is not base64 of user:password", where=path) from None
    return Credentials(user, password.rstrip("\0"), str(entry.get("identitytoken") or ""), helper)
