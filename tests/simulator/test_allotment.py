import os
from dataclasses import replace

import pytest

from argosy.simulator.allotment import Allotment, Share
from argosy.simulator.containers.instance_types import find, instance_types
from argosy.simulator.hosting.definition import Compute, ContainerDefinition, Model, ProductionVariant, Serverless

MODEL = Model("iris", (ContainerDefinition("image"),))
VARIANT = ProductionVariant(instance_type="ml.t2.medium")
LARGEST = max(instance_types().values(), key=lambda found: found.memory_bytes)


def share(found: str) -> Share:
    return Share(find(found).cpus, find(found).memory_bytes, find(found).disk_bytes)


def test_without_limits_that_is_told_once_for_all() -> None:
    told: list[str] = []
    allotment = Allotment(told.append)
    assert allotment.of_variant(MODEL, VARIANT) == Share()
    assert allotment.of_variant(MODEL, replace(VARIANT, serverless=Serverless(2048, 1))) == Share()
    assert allotment.of_job(MODEL, "ml.m5.large") == Share()
    assert len(told) == 1
    assert told[0].startswith("instance types are not applied")


def test_as_declared_a_container_gets_what_its_instance_has() -> None:
    allotment = Allotment(lambda _: None, is_as_declared=True)
    assert allotment.of_variant(MODEL, VARIANT) == share("ml.t2.medium")
    assert allotment.of_job(MODEL, "ml.m5.large") == share("ml.m5.large")
    assert allotment.of_variant(MODEL, replace(VARIANT, serverless=Serverless(2048, 1))) == Share(None, 2 * 2**30)


@pytest.mark.parametrize("is_as_declared", [True, False])
def test_a_copy_of_a_component_has_its_own_limits_in_any_case(is_as_declared: bool) -> None:
    allotment = Allotment(lambda _: None, is_as_declared)
    rest = find("ml.t2.medium").disk_bytes if is_as_declared else None
    variant = replace(VARIANT, compute=Compute(512, 1024, cpus=0.5))
    assert allotment.of_variant(MODEL, variant) == Share(0.5, 2**30, rest)
    least = allotment.of_variant(MODEL, replace(VARIANT, compute=Compute(512)))
    assert least == Share(2 if is_as_declared else None, 2**29, rest)


def test_a_type_that_is_unknown_or_larger_than_this_machine_is_told_once() -> None:
    told: list[str] = []
    allotment = Allotment(told.append, is_as_declared=True)
    for _ in range(2):
        assert allotment.of_job(MODEL, "ml.p6e-gb200.36xlarge") == Share()
        assert allotment.of_job(MODEL, LARGEST.name) == share(LARGEST.name)
    assert len(told) == 2
    assert "nobody here knows what it has" in told[0]
    assert f"this machine {os.cpu_count()}" in told[1]


def test_a_model_that_would_have_a_network_is_told_once() -> None:
    told: list[str] = []
    allotment = Allotment(told.append, is_as_declared=True)
    for _ in range(2):
        allotment.of_variant(MODEL, VARIANT)
        allotment.of_variant(replace(MODEL, name="open", is_isolated=False), VARIANT)
        allotment.of_job(replace(MODEL, name="open", is_isolated=False), "ml.t2.medium")
    assert [line for line in told if "EnableNetworkIsolation" in line] == [
        "model open: EnableNetworkIsolation is not set: on SageMaker its containers reach the network with the "
        "credentials of its role; here they have no credentials, and no network unless they are plain processes"
    ]
