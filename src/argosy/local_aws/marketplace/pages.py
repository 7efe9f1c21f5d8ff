"""Lists in pages, as the three APIs give them."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from argosy.local_aws.marketplace.refusal import invalid

Item = TypeVar("Item")


def page(items: Sequence[Item], size: int, token: str | None) -> tuple[Sequence[Item], str | None]:
    """One page, and the token of the next one; None when there is none.

    Args:
        items: All, in their order.
        size: How many there are on a page.
        token: Of the page before; None is the first.

    Raises:
        Refusal: The token is none of ours.
    """
    begin = 0 if token is None else _place(token)
    shown = items[begin : begin + size]
    more = begin + size < len(items)
    return shown, base64.b64encode(f"from {begin + size}".encode()).decode() if more else None


def _place(token: str) -> int:
    try:
        word, number = base64.b64decode(token, validate=True).decode().split()
        if word == "from" and int(number) >= 0:
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise invalid("The pagination token is not one that was given.", "INVALID_NEXT_TOKEN")
