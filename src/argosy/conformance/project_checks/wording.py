"""What is wrong with a text that somebody has to read: missing, a placeholder, too long, no URL."""

import re
from typing import Final
from urllib.parse import urlsplit

from argosy.conformance.check import Verdict, failed, passed
from argosy.conformance.profile import Profile
from argosy.marketplace.limits import LONGEST_URL

SOLD: Final = (Profile.MARKETPLACE,)
"""Who asks for the clauses of a project."""

UNTRIED: Final = "an https address; whether it can be opened is not tried"
"""What a URL without a fault is known to be."""
_LEAST_WORDS: Final = 3
_PLACEHOLDER: Final = re.compile(
    r"[\W_]+|\W*(todo|tbd|fixme|x{3,})\W*|lorem ipsum\b.*|((put|enter|insert|add|write) )?your \w+ here\W*",
    re.IGNORECASE | re.DOTALL,
)
"""A text that is nothing else: within a sentence each of these words may be meant."""
_NOTE: Final = re.compile(r"\W*(TODO|TBD|FIXME)\b\W*:")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese: scripts without blanks between words."""
_HOST: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_GITHUB: Final = re.compile(r"(^|\.)(github\.com|githubusercontent\.com|github\.io)$")


def text_fault(text: str, longest: int) -> str | None:
    """Why a text does not do, as the end of a sentence about it: missing, a placeholder, too long; None when it does.

    >>> text_fault("TODO", 100), text_fault("Finds vehicles in images.", 100)
    ('is a placeholder: `TODO`', None)
    """
    said = text.strip()
    if not said:
        return "is not said"
    if _PLACEHOLDER.fullmatch(said):
        return f"is a placeholder: `{said[:60]}`"
    if len(said) > longest:
        return f"has {len(said):,} characters, want at most {longest:,}"
    return None


def thinness(text: str) -> str | None:
    """Why a text that is said tells next to nothing, as the end of a sentence about it; None when it tells something.

    >>> thinness("None."), thinness("Finds vehicles in images."), thinness("車両を検出します。")
    ('says next to nothing: `None.`', None, None)
    """
    said = text.strip()
    if _NOTE.match(said):
        return f"begins as a note of what is to be done: `{said[:60]}`"
    if not said or _PLACEHOLDER.fullmatch(said) or _UNSPACED.search(said) or len(said.split()) >= _LEAST_WORDS:
        return None
    return f"says next to nothing: `{said[:60]}`"


def url_fault(url: str) -> str | None:
    """Why a URL is none that everybody could open, as the end of a sentence about it; None when it may be one.

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
