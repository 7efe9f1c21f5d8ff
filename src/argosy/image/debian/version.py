"""The order of Debian's package versions.

Source: Debian Policy Manual 5.6.12, `Version` (read 2026-11-22).
"""

import re
from typing import Any


def sort_key(version: str) -> tuple[Any, ...]:
    """A key that sorts versions as dpkg does.

    >>> sorted(["1.0-1", "1.0~rc1-1", "1:0.9", "1.0-1+deb12u2", "1.0-1+deb12u10"], key=sort_key)
    ['1.0~rc1-1', '1.0-1', '1.0-1+deb12u2', '1.0-1+deb12u10', '1:0.9']
    """
    epoch, _, rest = version.partition(":") if ":" in version else ("0", "", version)
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
    return (int(epoch), _parts(upstream), _parts(revision))


def _parts(text: str) -> tuple[Any, ...]:
    """Non-digits and numbers in turn; a tilde sorts before the end, letters before other characters."""
    found: list[Any] = []
    for letters, digits in re.findall(r"(\D*)(\d*)", text):
        found.append((*(_weight(letter) for letter in letters), 0))
        found.append(int(digits or 0))
    return tuple(found)


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256
