import asyncio
import random

import pytest

from argosy.simulator.health import HealthChecks
from argosy.simulator.hosting.definition import ProductionVariant
from argosy.simulator.hosting.shadow import Shadow
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.hosting.variant import Variant
from tests.simulator.conftest import MakeContainer
from tests.simulator.serving_thread import MODEL


def shadow(stand_in: MakeContainer, weight: float, production_weight: float) -> Shadow:
    definition = ProductionVariant("Shadow", MODEL, weight=weight)
    variant = Variant(definition, lambda: SingleContainer(stand_in, definition), HealthChecks(), print)
    return Shadow(variant, production_weight, random.Random(5))


@pytest.mark.parametrize(("weight", "least", "most"), [(0, 0, 0), (1, 80, 120), (2, 200, 200), (9, 200, 200)])
def test_the_share_of_copies_is_the_weight_s(stand_in: MakeContainer, weight: float, least: int, most: int) -> None:
    copies: list[Variant] = []

    async def send(variant: Variant) -> None:
        copies.append(variant)

    async def scenario() -> None:
        mirrored = shadow(stand_in, weight, 2)
        for _ in range(200):
            mirrored.mirror(send)
            await asyncio.sleep(0)
        await mirrored.close()

    asyncio.run(scenario())
    assert least <= len(copies) <= most


def test_a_shadow_that_is_behind_gets_no_more_and_is_given_up_at_the_end(stand_in: MakeContainer) -> None:
    begun = 0

    async def send(_variant: Variant) -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    async def scenario() -> None:
        mirrored = shadow(stand_in, 1, 1)
        for _ in range(200):
            mirrored.mirror(send)
            await asyncio.sleep(0)
        await mirrored.close()

    asyncio.run(scenario())
    assert begun == 64
