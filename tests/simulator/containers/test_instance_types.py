import gzip
import json
from pathlib import Path

import botocore
import pytest

from argosy.errors import UsageError
from argosy.simulator.containers.instance_types import find, instance_types

LEFT_OUT = {"ml.p6e-gb200.36xlarge"}


def test_every_instance_type_of_the_api_is_known_but_the_one_that_is_left_out() -> None:
    (model,) = Path(botocore.__file__).parent.glob("data/sagemaker/2017-07-24/service-2.json*")
    text = gzip.decompress(model.read_bytes()) if model.suffix == ".gz" else model.read_bytes()
    shapes = json.loads(text)["shapes"]
    assert set(shapes["ProductionVariantInstanceType"]["enum"]) - set(instance_types()) <= LEFT_OUT
    assert set(shapes["TransformInstanceType"]["enum"]) <= set(instance_types())


@pytest.mark.parametrize(
    ("name", "cpus", "gib", "gb"),
    [
        ("ml.m5.large", 2, 8, 30),
        ("ml.c4.large", 2, 3.75, 30),
        ("ml.c5d.xlarge", 4, 8, 100),
        ("ml.g5.xlarge", 4, 16, 250),
        ("ml.t2.medium", 2, 4, 30),
        ("ml.p3.2xlarge", 8, 61, 30),
    ],
)
def test_an_instance_has_what_aws_says(name: str, cpus: int, gib: float, gb: int) -> None:
    found = find(name)
    assert (found.name, found.cpus, found.memory_bytes, found.disk_bytes) == (name, cpus, gib * 2**30, gb * 10**9)


def test_all_have_plausible_numbers() -> None:
    for found in instance_types().values():
        assert 1 <= found.cpus <= 512
        assert 0.5 <= found.memory_bytes / 2**30 / found.cpus <= 32, found


def test_a_wrong_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no instance type") as error:
        find("ml.m5.lagre")
    assert error.value.hint == "did you mean `ml.m5.large`?"
