"""What the instance types of SageMaker's hosting and transform jobs have: processors, memory, disk.

Source:
    The names: ProductionVariantInstanceType in botocore's sagemaker 2017-07-24 model. What they have: the EC2 instance
    types of the same names in DescribeInstanceTypes, us-east-1, as moto 5.2.5 keeps it; p2, p3 and dl1 from
    https://aws.amazon.com/ec2/instance-types/ (read 2026-11-23). `ml.p6e-gb200.36xlarge` is in neither and left out.
"""

import difflib
import functools
from dataclasses import dataclass
from typing import Final

from argosy.errors import UsageError

_PREFIX: Final = "ml."
_VOLUME_GB: Final = 30
"""The volume of a type that has no disks of its own: about 30 GB for an endpoint unless told otherwise, 30 GB for a
transform job.

Source:
    docs.aws.amazon.com/sagemaker/latest/dg, "Storage in batch transform" and "Deploy models with DJL Serving", and
    `VolumeSizeInGB` in the model above (read 2026-11-22).
"""

# Family: size, virtual processors, memory in GiB, its own disks in GB together.
_TABLE: Final = """\
c4: large 2 3.75, xlarge 4 7.5, 2xlarge 8 15, 4xlarge 16 30, 8xlarge 36 60
c5: large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 9xlarge 36 72, 18xlarge 72 144
c5d: large 2 4 50, xlarge 4 8 100, 2xlarge 8 16 200, 4xlarge 16 32 400, 9xlarge 36 72 900, 18xlarge 72 144 1800
c6g: large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 8xlarge 32 64, 12xlarge 48 96, 16xlarge 64 128
c6gd: large 2 4 118, xlarge 4 8 237, 2xlarge 8 16 474, 4xlarge 16 32 950, 8xlarge 32 64 1900, 12xlarge 48 96 2850,
  16xlarge 64 128 3800
c6gn: large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 8xlarge 32 64, 12xlarge 48 96, 16xlarge 64 128
c6i: large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 8xlarge 32 64, 12xlarge 48 96, 16xlarge 64 128, 24xlarge 96
  192, 32xlarge 128 256
c6in: large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 8xlarge 32 64, 12xlarge 48 96, 16xlarge 64 128, 24xlarge
  96 192, 32xlarge 128 256
c7g: large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 8xlarge 32 64, 12xlarge 48 96, 16xlarge 64 128
c7i: large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 8xlarge 32 64, 12xlarge 48 96, 16xlarge 64 128, 24xlarge 96
  192, 48xlarge 192 384
c8g: medium 1 2, large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32, 8xlarge 32 64, 12xlarge 48 96, 16xlarge 64 128,
  24xlarge 96 192, 48xlarge 192 384
dl1: 24xlarge 96 768 4000
g4dn: xlarge 4 16 125, 2xlarge 8 32 225, 4xlarge 16 64 225, 8xlarge 32 128 900, 12xlarge 48 192 900, 16xlarge 64 256
  900
g5: xlarge 4 16 250, 2xlarge 8 32 450, 4xlarge 16 64 600, 8xlarge 32 128 900, 12xlarge 48 192 3800, 16xlarge 64 256
  1900, 24xlarge 96 384 3800, 48xlarge 192 768 7600
g6: xlarge 4 16 250, 2xlarge 8 32 450, 4xlarge 16 64 600, 8xlarge 32 128 900, 12xlarge 48 192 3760, 16xlarge 64 256
  1880, 24xlarge 96 384 3760, 48xlarge 192 768 7520
g6e: xlarge 4 32 250, 2xlarge 8 64 450, 4xlarge 16 128 600, 8xlarge 32 256 900, 12xlarge 48 384 3800, 16xlarge 64
  512 1900, 24xlarge 96 768 3800, 48xlarge 192 1536 7600
g7: 2xlarge 8 32 440, 4xlarge 16 64 875, 8xlarge 32 128 930, 12xlarge 48 192 1900, 24xlarge 96 384 3800, 48xlarge
  192 768 7600
g7e: 2xlarge 8 64 1900, 4xlarge 16 128 1900, 8xlarge 32 256 1900, 12xlarge 48 512 3800, 24xlarge 96 1024 7600,
  48xlarge 192 2048 15200
inf1: xlarge 4 8, 2xlarge 8 16, 6xlarge 24 48, 24xlarge 96 192
inf2: xlarge 4 16, 8xlarge 32 128, 24xlarge 96 384, 48xlarge 192 768
m4: xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64, 10xlarge 40 160, 16xlarge 64 256
m5: large 2 8, xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64, 12xlarge 48 192, 24xlarge 96 384
m5d: large 2 8 75, xlarge 4 16 150, 2xlarge 8 32 300, 4xlarge 16 64 600, 12xlarge 48 192 1800, 24xlarge 96 384 3600
m6g: large 2 8, xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64, 8xlarge 32 128, 12xlarge 48 192, 16xlarge 64 256
m6gd: large 2 8 118, xlarge 4 16 237, 2xlarge 8 32 474, 4xlarge 16 64 950, 8xlarge 32 128 1900, 12xlarge 48 192
  2850, 16xlarge 64 256 3800
m6i: large 2 8, xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64, 8xlarge 32 128, 12xlarge 48 192, 16xlarge 64 256, 24xlarge
  96 384, 32xlarge 128 512
m7i: large 2 8, xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64, 8xlarge 32 128, 12xlarge 48 192, 16xlarge 64 256, 24xlarge
  96 384, 48xlarge 192 768
m8g: medium 1 4, large 2 8, xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64, 8xlarge 32 128, 12xlarge 48 192, 16xlarge 64
  256, 24xlarge 96 384, 48xlarge 192 768
p2: xlarge 4 61, 8xlarge 32 488, 16xlarge 64 732
p3: 2xlarge 8 61, 8xlarge 32 244, 16xlarge 64 488
p4d: 24xlarge 96 1152 8000
p4de: 24xlarge 96 1152 8000
p5: 48xlarge 192 2048 30400, 4xlarge 16 256 3800
p5e: 48xlarge 192 2048 30400
p5en: 48xlarge 192 2048 30400
p6-b200: 48xlarge 192 2048 30400
p6-b300: 48xlarge 192 4096 30400
r5: large 2 16, xlarge 4 32, 2xlarge 8 64, 4xlarge 16 128, 12xlarge 48 384, 24xlarge 96 768
r5d: large 2 16 75, xlarge 4 32 150, 2xlarge 8 64 300, 4xlarge 16 128 600, 12xlarge 48 384 1800, 24xlarge 96 768
  3600
r6g: large 2 16, xlarge 4 32, 2xlarge 8 64, 4xlarge 16 128, 8xlarge 32 256, 12xlarge 48 384, 16xlarge 64 512
r6gd: large 2 16 118, xlarge 4 32 237, 2xlarge 8 64 474, 4xlarge 16 128 950, 8xlarge 32 256 1900, 12xlarge 48 384
  2850, 16xlarge 64 512 3800
r6i: large 2 16, xlarge 4 32, 2xlarge 8 64, 4xlarge 16 128, 8xlarge 32 256, 12xlarge 48 384, 16xlarge 64 512,
  24xlarge 96 768, 32xlarge 128 1024
r7gd: medium 1 8 59, large 2 16 118, xlarge 4 32 237, 2xlarge 8 64 474, 4xlarge 16 128 950, 8xlarge 32 256 1900,
  12xlarge 48 384 2850, 16xlarge 64 512 3800
r7i: large 2 16, xlarge 4 32, 2xlarge 8 64, 4xlarge 16 128, 8xlarge 32 256, 12xlarge 48 384, 16xlarge 64 512,
  24xlarge 96 768, 48xlarge 192 1536
r8g: medium 1 8, large 2 16, xlarge 4 32, 2xlarge 8 64, 4xlarge 16 128, 8xlarge 32 256, 12xlarge 48 384, 16xlarge 64
  512, 24xlarge 96 768, 48xlarge 192 1536
t2: medium 2 4, large 2 8, xlarge 4 16, 2xlarge 8 32
trn1: 2xlarge 8 32 474, 32xlarge 128 512 7600
trn1n: 32xlarge 128 512 7600
trn2: 48xlarge 192 2048 7600
"""


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What an instance of a type has.

    Attributes:
        name: As `ml.m5.large`.
        cpus: Virtual processors.
        memory_bytes: The whole memory.
        disk_bytes: Its own disks together, or the volume that it gets.
    """

    name: str
    cpus: int
    memory_bytes: int
    disk_bytes: int


@functools.cache
def instance_types() -> dict[str, InstanceType]:
    """All that are known, by name."""
    found: dict[str, InstanceType] = {}
    for line in _TABLE.replace("\n  ", " ").splitlines():
        family, _, sizes = line.partition(": ")
        for entry in sizes.split(", "):
            size, cpus, memory, *disks = entry.split()
            name = f"{_PREFIX}{family}.{size}"
            disk = int(disks[0]) if disks else _VOLUME_GB
            found[name] = InstanceType(name, int(cpus), int(float(memory) * 2**30), disk * 10**9)
    return found


def find(name: str) -> InstanceType:
    """The instance type of a name, with or without `ml.`.

    >>> find("ml.m5.large").cpus, find("m5.large").memory_bytes // 2**30
    (2, 8)

    Raises:
        UsageError: There is none of that name.
    """
    known = instance_types()
    wanted = name if name.startswith(_PREFIX) else _PREFIX + name
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=1)
        raise UsageError(
            "no instance type of SageMaker's hosting has this name",
            got=f"`{name}`",
            want="one as `ml.m5.large`",
            hint=f"did you mean `{near[0]}`?" if near else None,
        )
    return known[wanted]
