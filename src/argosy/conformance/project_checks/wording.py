"""What is wrong with a text that somebody has to read: missing, a placeholder, too long, no URL."""

import re
from typing import Final
from urllib.parse import urlsplit

from argosy.conformance.check import Verdict, failed, passed
from argosy.conformance.profile import Profile

SOLD: Final = (Profile.MARKETPLACE,)
"""Who asks for the clauses of a project."""

LONGEST_URL: Final = 2000
_LEAST_WORDS: Final = 3
_LEAST_LETTERS: Final = 16
"""So many letters are enough, too: not every script has blanks between words."""
_PLACEHOLDER: Final = re.compile(
    r"\b(TODO|TBD|FIXME)\b|^[\W_]+$"
    r"|(?i:^\W*(todo|tbd|fixme|x{3,}|text|description)\W*$|\blorem ipsum\b|\byour \w+ here\b)"
)
"""Words that are no placeholders in other languages (`todo`) count only where they stand alone."""
_HOST: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_GITHUB: Final = re.compile(r"(^|\.)(github\.com|githubusercontent\.com|github\.io)$")


def text_fault(text: str, longest: int, least_words: int = _LEAST_WORDS) -> str | None:
    """Why a text does not do, as the end of a sentence about it; None when it does.

    >>> text_fault("TODO", 100), text_fault("Finds vehicles in images.", 100)
    ('is a placeholder: `TODO`', None)
    """
    said = text.strip()
    if not said:
        return "is not said"
    if _PLACEHOLDER.search(said):
        return f"is a placeholder: `{said[:60]}`"
    if len(said) > longest:
        return f"has {len(said):,} characters, want at most {longest:,}"
    if len(said.split()) < least_words and len(said) < _LEAST_LETTERS:
        return f"says next to nothing: `{said[:60]}`"
    return None


def url_fault(url: str) -> str | None:
    """Why a URL cannot be opened by everybody, as the end of a sentence about it; None when it may be.

    >>> url_fault("https://example.com/logo.png"), url_fault("http://example.com")
    (None, 'is no `https://` URL')
    """
    if not url:
        return "is not said"
    if not url.startswith("https://"):
        return "is no `https://` URL"
    if len(url) > LONGEST_URL:
        return f"has {len(url):,} characters, want at most {LONGEST_URL:,}"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "has characters that no URL has"
    try:
        parts = urlsplit(url)
        host, user = parts.hostname or "", parts.username
    except ValueError:
        return "is no URL"
    if user is not None:
        return "has a user name in it"
    if not _HOST.fullmatch(host) or host.endswith((".local", ".internal", ".localhost")):
        return f"leads to `{host}`, which buyers cannot reach"
    return None


def is_on_github(url: str) -> bool:
    """Whether a URL leads to GitHub."""
    try:
        return bool(_GITHUB.search(urlsplit(url).hostname or ""))
    except ValueError:
        return False


def named_faults(faults: dict[str, str | None], well: str) -> Verdict:
    """Failed with every fault by its field, or passed with the sentence."""
    found = [f"`{field}` {fault}" for field, fault in faults.items() if fault]
    return failed("; ".join(found)) if found else passed(well)
