"""Parts of a streamed answer, cut anew at random: the service promises nothing about where its parts begin."""

import random
from collections.abc import AsyncIterator


async def recut(parts: AsyncIterator[bytes], chance: random.Random) -> AsyncIterator[bytes]:
    """The same bytes in other parts: some are divided, some ends wait for the next part's beginning.

    Args:
        parts: None empty.
        chance: Says where.
    """
    kept = b""
    async for part in parts:
        kept += part
        while len(kept) > 1 and chance.random() < 0.75:
            cut = chance.randint(1, len(kept) - 1)
            yield kept[:cut]
            kept = kept[cut:]
        if kept and chance.random() < 0.5:
            yield kept
            kept = b""
    if kept:
        yield kept
