"""Where a registry is really spoken to, and how: mirrors, plain http, certificates.

Source: containers-registries.conf(5), version 2 of the format; containers-certs.d(5); docs.docker.com, "Verify
repository client with certificates" (read 2026-11-22).
"""

import ipaddress
import ssl
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from argosy.errors import RegistryError, UsageError
from argosy.image.reference import DOCKER_HUB, RegistryReference
from argosy.registry.access import Access

SETTINGS_VARIABLE: Final = "CONTAINERS_REGISTRIES_CONF"
_HUB_HOST: Final = "registry-1.docker.io"
_SYSTEM_SETTINGS: Final = Path("/etc/containers/registries.conf")
CERTIFICATES: Final = Path("/etc/docker/certs.d")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place from which, or to which, a repository is transferred.

    Attributes:
        registry: Host and perhaps port; logins and certificates are kept under this name.
        repository: The path there.
        is_insecure: Whether the user named it as one without TLS, or with a certificate that nobody vouches for.
        is_mirror: Whether another place is asked after it.
    """

    registry: str
    repository: str
    is_insecure: bool = False
    is_mirror: bool = False

    @property
    def host(self) -> str:
        """Host and perhaps port to connect to."""
        return _HUB_HOST if self.registry == DOCKER_HUB else self.registry


def places_to_read(place: RegistryReference, access: Access) -> tuple[Endpoint, ...]:
    """The mirrors that the settings name for a repository, in their order, then the registry itself.

    Raises:
        UsageError: The settings cannot be read, or block the registry.
    """
    found = _matching(place, _settings(access.environ))
    if found is None:
        return (Endpoint(place.registry, place.repository),)
    entry, prefix = found
    mirrors = []
    for mirror in _tables(entry.get("mirror")):
        wanted = mirror.get("pull-from-mirror", "digest-only" if entry.get("mirror-by-digest-only") else "all")
        if wanted == "all" or (wanted == "digest-only") == (place.digest is not None):
            mirrors.append(replace(_moved(place, prefix, mirror), is_mirror=True))
    return (*mirrors, _moved(place, prefix, entry))


def place_to_write(place: RegistryReference, access: Access) -> Endpoint:
    """Where a repository is written to: never a mirror.

    Raises:
        UsageError: The settings cannot be read, or block the registry.
    """
    return places_to_read(place, access)[-1]


def certificate_folders(registry: str, access: Access) -> tuple[Path, ...]:
    """The folders that may hold a registry's CA and our certificates for it."""
    home = access.environ.get("HOME")
    own = (Path(home) / ".config" / "containers" / "certs.d",) if home else ()
    return tuple(
        folder / registry
        for folder in (CERTIFICATES, Path("/etc/containers/certs.d"), *own, access.docker_config / "certs.d")
    )


def tls_context(endpoint: Endpoint, access: Access) -> ssl.SSLContext:
    """What a registry's certificate is verified with: the system's CAs (or `SSL_CERT_FILE`'s), and those kept for it.

    Raises:
        UsageError: A file is no certificate or key.
    """
    folders = certificate_folders(endpoint.registry, access)
    files = [file for folder in folders for file in sorted(folder.glob("*.crt")) + sorted(folder.glob("*.cert"))]
    if not files and not endpoint.is_insecure:
        return _system_trust(access.environ.get("SSL_CERT_FILE"), access.environ.get("SSL_CERT_DIR"))
    context = ssl.create_default_context()
    if endpoint.is_insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for file in files:
        try:
            if file.suffix == ".crt":
                context.load_verify_locations(file)
            else:
                context.load_cert_chain(file, file.with_suffix(".key"))
        except (ssl.SSLError, OSError) as error:
            raise UsageError("a certificate for a registry cannot be read", got=error, where=file) from error
    return context


@lru_cache(maxsize=1)
def _system_trust(*_: str | None) -> ssl.SSLContext:
    """The system's CAs, read again only where the variables name others: it takes longer than several requests."""
    return ssl.create_default_context()


def scheme(endpoint: Endpoint, access: Access) -> str:
    """`http` on loopback, unless certificates are kept for the registry; `https` elsewhere."""
    has_certificates = any(folder.is_dir() for folder in certificate_folders(endpoint.registry, access))
    return "http" if is_loopback(endpoint.host) and not has_certificates else "https"


def is_loopback(host: str) -> bool:
    """Whether a host, perhaps with a port, is this machine by name or address."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _settings(environ: Mapping[str, str]) -> Sequence[dict[str, Any]]:
    """The `[[registry]]` tables of the first settings file that there is."""
    named, home = environ.get(SETTINGS_VARIABLE), environ.get("HOME")
    own = [Path(home) / ".config" / "containers" / "registries.conf"] if home else []
    for path in [Path(named)] if named else [*own, _SYSTEM_SETTINGS]:
        try:
            return _tables(tomllib.loads(path.read_text()).get("registry"))
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            if named:
                raise UsageError(
                    "the settings of registries cannot be read", got=error.strerror, where=path, want=SETTINGS_VARIABLE
                ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError("the settings of registries are not TOML", got=error, where=path) from error
    return ()


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _matching(place: RegistryReference, tables: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], str] | None:
    """The table with the longest prefix of the repository's name, and that prefix as it is found in the name."""
    name = f"{place.registry}/{place.repository}"
    best: tuple[dict[str, Any], str] | None = None
    for table in tables:
        prefix = str(table.get("prefix") or table.get("location") or "")
        if prefix.startswith("*."):
            prefix = place.registry if place.registry.endswith(prefix[1:]) else ""
        if prefix and f"{name}/".startswith(f"{prefix}/") and (best is None or len(prefix) > len(best[1])):
            best = table, prefix
    if best is not None and best[0].get("blocked"):
        raise UsageError("the settings of registries block this one", got=f"`blocked = true` for {best[1]}", where=name)
    return best


def _moved(place: RegistryReference, prefix: str, table: Mapping[str, Any]) -> Endpoint:
    location = str(table.get("location") or prefix)
    registry, _, path = (location + f"{place.registry}/{place.repository}".removeprefix(prefix)).partition("/")
    if not registry or not path:
        raise RegistryError("the settings of registries name no repository", got=f"`{location}`", where=place)
    return Endpoint(registry, path, bool(table.get("insecure")))
