"""Whom package indexes know us as: users and passwords from URLs, uv's variables and `.netrc`, never told to anyone.

Source: docs.astral.sh/uv, "Package indexes", "HTTP authentication" (read 2026-11-22).
"""

import netrc
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from argosy.errors import ResolutionError
from argosy.image.download import Credentials, origin

_INDEX_OPTION: Final = re.compile(
    r"^\s*(?:-i|--index-url|--extra-index-url|-f|--find-links)[ =]+(http\S+)", re.MULTILINE
)
_VARIABLES: Final = ("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX")
_URL_LOGIN: Final = re.compile(r"(?<=://)[^/\s@\"']+@")
_EXPANDED: Final = re.compile(r"\$\{([A-Z0-9_]+)\}")


@dataclass(frozen=True)
class _Logins(Mapping[str, tuple[str, str]]):
    """Logins by origin; those of `.netrc` are by host, whatever the scheme and port."""

    by_origin: Mapping[str, tuple[str, str]]
    by_host: Mapping[str, tuple[str, str]]

    def __getitem__(self, key: str) -> tuple[str, str]:
        if key in self.by_origin:
            return self.by_origin[key]
        return self.by_host[urlsplit(key.rstrip(":")).hostname or ""]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_origin)

    def __len__(self) -> int:
        return len(self.by_origin)

    def passwords(self) -> set[str]:
        return {password for _, password in (*self.by_origin.values(), *self.by_host.values()) if password}


def index_credentials(texts: Iterable[str], root: Path, environ: Mapping[str, str]) -> Credentials:
    """User and password of each package index that has them.

    They are looked for in the index URLs of requirements files, of uv's settings and of its variables (`UV_INDEX` and
    the like), in `UV_INDEX_NAME_USERNAME` and `UV_INDEX_NAME_PASSWORD` for the index called NAME, and in `.netrc`.

    Args:
        texts: Requirements files, where `${NAME}` stands for a variable.
        root: The project's folder, whose `pyproject.toml` or `uv.toml` may name indexes.
        environ: The environment.

    Raises:
        ResolutionError: `.netrc` or uv's settings cannot be read.
    """
    found: dict[str, tuple[str, str]] = {}
    named = dict(_configured(root))
    urls = [
        _EXPANDED.sub(lambda match: environ.get(match.group(1), match.group(0)), url)
        for text in texts
        for url in _INDEX_OPTION.findall(text)
    ]
    for variable in _VARIABLES:
        for word in environ.get(variable, "").split():
            name, _, url = word.partition("=") if re.match(r"[\w.-]+=https?://", word) else ("", "", word)
            urls.append(url)
            if name:
                named[name] = url
    for name, url in named.items():
        urls.append(url)
        variable = f"UV_INDEX_{re.sub('[^A-Z0-9]', '_', name.upper())}"
        user, password = environ.get(f"{variable}_USERNAME"), environ.get(f"{variable}_PASSWORD")
        if user is not None or password is not None:
            found[origin(url)] = (user or "", password or "")
    for url in urls:
        parts = urlsplit(url)
        if parts.username is not None:
            found.setdefault(origin(url), (unquote(parts.username), unquote(parts.password or "")))
    return _Logins(found, _netrc(environ))


def without_logins(text: str, credentials: Credentials | None = None) -> str:
    """A text in which no URL has a user or password, and no known password stands anywhere."""
    text = _URL_LOGIN.sub("", text)
    for password in credentials.passwords() if isinstance(credentials, _Logins) else ():
        text = text.replace(password, "***").replace(quote(password, safe=""), "***")
    return text


def _configured(root: Path) -> Iterator[tuple[str, str]]:
    """The indexes of the project's own settings for uv: name and URL."""
    for file, keys in (("pyproject.toml", ("tool", "uv")), ("uv.toml", ())):
        path = root / file
        if not path.is_file():
            continue
        try:
            table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ResolutionError("not a TOML file", got=error, where=path) from error
        for key in keys:
            table = table.get(key, {})
        for index in table.get("index", ()):
            yield str(index.get("name", "")), str(index.get("url", ""))


def _netrc(environ: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
    """The hosts that `.netrc` names; its `default` is for nobody: a stranger's server would get the password."""
    home = environ.get("HOME")
    path = Path(environ["NETRC"]) if environ.get("NETRC") else Path(home) / ".netrc" if home else None
    if path is None or not path.is_file():
        return {}
    try:
        hosts = netrc.netrc(path).hosts
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as error:
        got = f"line {error.lineno}" if isinstance(error, netrc.NetrcParseError) else type(error).__name__
        raise ResolutionError("the netrc file cannot be read", got=got, where=path) from error
    return {host: (user, password) for host, (user, _, password) in hosts.items() if host != "default"}
