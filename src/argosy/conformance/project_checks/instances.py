"""The instance types on which buyers may run it."""

import re
from collections.abc import Iterator
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.project_checks.wording import SOLD
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.sources import CATALOG_VERSIONS, INFERENCE_SPECIFICATION, MARKETPLACE_LISTING, QUOTAS_PAGE
from argosy.contract import CREATE_TRANSFORM_JOB, HOSTING_PAGE
from argosy.errors import UsageError
from argosy.marketplace.limits import LONGEST_TYPE
from argosy.marketplace.model_package import recommended
from argosy.simulator.containers import instance_types

ARM: Final = re.compile(r"ml\.([a-z]+\d+g[a-z]*|[a-z]\d+e?-gb\d+)\.")
"""Arm families: a `g` behind the generation; those with NVIDIA's Grace say `gb200`."""
_GPU: Final = re.compile(r"ml\.(g\d|p\d)")


def _known(facts: ProjectFacts) -> Verdict:
    said = facts.table.instances
    for field, types in (("realtime", said.realtime), ("batch", said.batch)):
        if not types:
            return failed(f"`marketplace.instances.{field}` names no type")
        if len(set(types)) < len(types):
            return failed(f"`marketplace.instances.{field}` names a type twice")
    if facts.api is None:
        return unknown("botocore, which has the lists of types, is not installed: pip install 'argosy[aws]'")
    pairs = (("endpoint", said.realtime, facts.api.realtime), ("transform job", said.batch, facts.api.batch))
    for use, types, known in pairs:
        strangers = [name for name in types if name not in known]
        if strangers:
            return failed(
                f"no {use} has the instance type `{strangers[0]}`",
                Evidence(facts.api.source, f"{len(known)} types of {use}s, without {', '.join(strangers)}"),
            )
    return passed(f"{len(said.realtime)} for endpoints, {len(said.batch)} for transform jobs")


def _architecture(facts: ProjectFacts) -> Verdict:
    arm = [name for name in facts.table.instances.realtime if ARM.match(name)]
    if arm:
        return failed(f"`{arm[0]}` has Arm processors, and no transform job does")
    return passed("all have x86 processors")


def _recommended(facts: ProjectFacts) -> Verdict:
    said = facts.table.instances
    pairs = zip(recommended(said), (said.realtime, said.batch), ("endpoints", "transform jobs"), strict=True)
    for name, types, use in pairs:
        if name is None or name not in types:
            return failed(f"`{name}` is recommended for {use} and not among the types for them")
        if len(name) > LONGEST_TYPE:
            return failed(f"`{name}` has {len(name)} characters, want at most {LONGEST_TYPE}")
    return passed(" and ".join(f"`{name}`" for name in recommended(said)))


def _memory(facts: ProjectFacts) -> Verdict:
    small = [(name, memory) for name, memory in _memories(facts) if memory < facts.artifacts_bytes]
    if small:
        name, memory = small[0]
        size = f"{facts.artifacts_bytes / 2**30:.1f} GiB of artifacts"
        return failed(f"`{name}` has {memory / 2**30:.1f} GiB of memory for {size}")
    return passed(f"{facts.artifacts_bytes / 2**30:.1f} GiB of artifacts are less than each type's memory")


def _memories(facts: ProjectFacts) -> Iterator[tuple[str, int]]:
    """The types of which anything is known here, with their memory in bytes."""
    said = facts.table.instances
    for name in dict.fromkeys((*said.realtime, *said.batch)):
        try:
            yield name, instance_types.find(name).memory_bytes
        except UsageError:
            continue


def _choice(facts: ProjectFacts) -> Verdict:
    said = facts.table.instances
    for field, types in (("realtime", said.realtime), ("batch", said.batch)):
        if len(types) < 2:
            return failed(f"`marketplace.instances.{field}` names one type: a buyer without quota for it has no other")
    return passed("buyers have a choice in both modes")


def _gpu_driver(facts: ProjectFacts) -> Verdict:
    said = facts.table.instances
    gpus = sorted(name for name in {*said.realtime, *said.batch} if _GPU.match(name))
    if not gpus:
        return skipped("no type with a GPU is named")
    wanted = facts.table.inference_ami_version
    if wanted is None and "InferenceAmiVersion" not in facts.table.usage.instructions:
        return failed(f"`{gpus[0]}` has a GPU, and nothing tells buyers which `InferenceAmiVersion` the image needs")
    return passed(f"`{wanted}`" if wanted else "the instructions name `InferenceAmiVersion`")


_GROUP: Final[Group[ProjectFacts]] = Group("instances", ProjectFacts)

CHECKS: Final[tuple[Check[ProjectFacts], ...]] = (
    _GROUP.check(
        must(
            "instance-types",
            INFERENCE_SPECIFICATION,
            "The package names instance types for endpoints and for transform jobs, all of which SageMaker has.",
            'set realtime = ["ml.m5.large"] and batch = ["ml.m5.large"] in [marketplace.instances]',
            rows="V03",
            only=SOLD,
        ),
        _known,
    ),
    _GROUP.check(
        must(
            "instance-amd64",
            CREATE_TRANSFORM_JOB,
            "No instance type has Arm processors: the image is validated by a transform job, which has x86 ones.",
            "take the types whose family ends with `g` out of [marketplace.instances]: c6g, m6g, r6g and the like",
            rows="V03 C03",
            only=SOLD,
        ),
        _architecture,
        "instance-types",
    ),
    _GROUP.check(
        must(
            "instance-recommended",
            CATALOG_VERSIONS,
            "One supported instance type is recommended for endpoints, and one for transform jobs.",
            "set recommended_realtime and recommended_batch in [marketplace.instances] to types of these lists",
            rows="F22",
            only=SOLD,
        ),
        _recommended,
        "instance-types",
    ),
    _GROUP.check(
        should(
            "instance-artifacts",
            HOSTING_PAGE,
            "Each instance type has more memory than the artifacts have bytes.",
            "take the small types out of [marketplace.instances]",
            rows="A05 F12",
            only=SOLD,
        ),
        _memory,
        "instance-types",
        "package-volume",
    ),
    _GROUP.check(
        fact(
            "instance-choice",
            QUOTAS_PAGE,
            "Many accounts have a quota of 0 for many instance types, so buyers need a choice.",
            "name a second type, of another family, in [marketplace.instances]; each needs a price",
            rows="F27",
            only=SOLD,
        ),
        _choice,
        "instance-types",
    ),
    _GROUP.check(
        should(
            "instance-gpu-ami",
            MARKETPLACE_LISTING,
            "With GPUs, buyers are told which InferenceAmiVersion has a driver that is new enough.",
            'set inference_ami_version = "al2-ami-sagemaker-inference-gpu-3-1" in [marketplace]',
            rows="F28",
            only=SOLD,
        ),
        _gpu_driver,
        "instance-types",
    ),
)
