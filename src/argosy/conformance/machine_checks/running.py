"""Whether images can be run, built and kept on this machine."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.scenes.machine import Builder, Capacity, Disks, Folder, Runners

CACHE_FREE: Final = 5 * 10**9
"""Bytes: a base image, its unpacked copy for the sandbox and the layers of a framework for CPUs, each about 1 GB."""
ENGINE_FREE: Final = 10 * 10**9
"""Bytes: an image with a framework for GPUs, and the one before it."""
_OWN_DRIVERS: Final = ("", "docker")

_INSTALL: Final = "https://docs.docker.com/engine/install/"
_NAMESPACES: Final = "https://man7.org/linux/man-pages/man7/user_namespaces.7.html"
_BUILD_VARIABLES: Final = "https://docs.docker.com/build/building/variables/"
_PRUNE: Final = "https://docs.docker.com/engine/manage-resources/pruning/"
_CACHE: Final = "https://specifications.freedesktop.org/basedir-spec/latest/"
_TYPES: Final = "https://aws.amazon.com/ec2/instance-types/"


def _any_runner(runners: Runners) -> Verdict:
    if runners.engine:
        return passed(f"`{runners.engine}` does")
    if not runners.sandbox_refusal:
        return passed("a sandbox does")
    return failed(
        "neither an engine nor a sandbox does",
        Evidence("docker, podman", runners.engine_refusal),
        Evidence("sandbox", runners.sandbox_refusal),
    )


def _engine(runners: Runners) -> Verdict:
    if runners.engine:
        return passed(f"`{runners.engine}` {runners.version}")
    return failed("none answers", Evidence("docker version, podman version", runners.engine_refusal))


def _sandbox(runners: Runners) -> Verdict:
    if not runners.sandbox_refusal:
        return passed("namespaces and mounts are allowed")
    return failed("namespaces or mounts are refused", Evidence("unshare", runners.sandbox_refusal))


def _builds(builder: Builder) -> Verdict:
    if builder.engine == "podman":
        if builder.has_docker_format:
            return passed("BUILDAH_FORMAT=docker is set")
        return failed("`podman build` writes OCI manifests", Evidence("BUILDAH_FORMAT", "not `docker`"))
    seen = Evidence("docker info, docker buildx inspect", _store(builder))
    if not builder.makes_attestations:
        return passed("BUILDX_NO_DEFAULT_ATTESTATIONS is set", seen)
    if builder.keeps_indexes:
        return failed("the engine keeps images with their attestations, and pushes an index of both", seen)
    if builder.driver not in _OWN_DRIVERS:
        return failed(f"buildx builds on `{builder.driver}`, and adds attestations to what it pushes", seen)
    return passed("the engine keeps images without attestations", seen)


def _store(builder: Builder) -> str:
    store = "containerd's image store" if builder.keeps_indexes else "Docker's own image store"
    return f"{store}, {f'builder `{builder.driver}`' if builder.driver else 'no buildx'}"


def _writable(disks: Disks) -> Verdict:
    if disks.cache.is_writable:
        return passed(f"{disks.cache.path}")
    return failed(f"nothing can be written to {disks.cache.path}")


def _cache_space(disks: Disks) -> Verdict:
    return _space(disks.cache, CACHE_FREE)


def _engine_space(disks: Disks) -> Verdict:
    if disks.engine is None:
        return skipped("no folder of an engine is on this machine")
    return _space(disks.engine, ENGINE_FREE)


def _space(folder: Folder, wanted: int) -> Verdict:
    if folder.free_bytes is None:
        return unknown(f"nobody tells how much is free at {folder.path}")
    sentence = f"{folder.free_bytes / 1e9:.1f} GB are free at {folder.path}"
    return passed(sentence) if folder.free_bytes >= wanted else failed(f"{sentence}, want {wanted / 1e9:.0f} GB")


def _cpus(capacity: Capacity) -> Verdict:
    has, wanted = capacity.cpus, capacity.wanted
    sentence = f"{has} here, {wanted.cpus} on {wanted.name}"
    return passed(sentence) if has >= wanted.cpus else failed(sentence)


def _memory(capacity: Capacity) -> Verdict:
    has, wanted = capacity.memory_bytes, capacity.wanted
    sentence = f"{has / 2**30:.1f} GiB here, {wanted.memory_bytes / 2**30:.1f} on {wanted.name}"
    return passed(sentence) if has >= wanted.memory_bytes else failed(sentence)


_RUNNERS: Final[Group[Runners]] = Group("engine", Runners)
_BUILDER: Final[Group[Builder]] = Group("engine", Builder)
_DISKS: Final[Group[Disks]] = Group("disk", Disks)
_CAPACITY: Final[Group[Capacity]] = Group("capacity", Capacity)

CHECKS: Final[tuple[Check[Runners] | Check[Builder] | Check[Disks] | Check[Capacity], ...]] = (
    _RUNNERS.check(
        must(
            "runner",
            _INSTALL,
            "Images can be run here: by Docker, by Podman, or in a sandbox.",
            "start Docker (`sudo systemctl start docker`), or run as root on Linux, where a sandbox needs no engine",
        ),
        _any_runner,
    ),
    _RUNNERS.check(
        should(
            "engine",
            _INSTALL,
            "A container engine is installed and answers.",
            "sudo systemctl start docker; without one images are run in a sandbox, and `argosy build` needs none",
        ),
        _engine,
        "runner",
    ),
    _RUNNERS.check(
        should(
            "sandbox",
            _NAMESPACES,
            "A sandbox can be made: namespaces, and overlay mounts in them.",
            "on Ubuntu: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; in a container: give it"
            " --privileged; an engine does without",
        ),
        _sandbox,
        "runner",
    ),
    _BUILDER.check(
        should(
            "engine-builds",
            _BUILD_VARIABLES,
            "The engine's own builds make one image of Docker's format, which SageMaker takes, and no index.",
            "export BUILDX_NO_DEFAULT_ATTESTATIONS=1 (Docker) or BUILDAH_FORMAT=docker (Podman); what is built already:"
            " argosy image convert; `argosy build` is not concerned",
        ),
        _builds,
    ),
    _DISKS.check(
        must(
            "cache-writable",
            _CACHE,
            "Argosy's cache can be written to.",
            "export ARGOSY_CACHE_DIR=/a/folder/of/yours",
        ),
        _writable,
    ),
    _DISKS.check(
        should(
            "cache-space",
            _CACHE,
            "There are 5 GB free where Argosy's cache is.",
            "free some, or export ARGOSY_CACHE_DIR=/a/larger/disk; all that is in it may be deleted",
        ),
        _cache_space,
        "cache-writable",
    ),
    _DISKS.check(
        should(
            "engine-space",
            _PRUNE,
            "There are 10 GB free where the engine keeps its images.",
            "docker image prune  (removes images without a name that nothing uses)",
        ),
        _engine_space,
    ),
    _CAPACITY.check(
        should(
            "processors",
            _TYPES,
            "This machine has the processors of the instance type that is meant.",
            "times that are measured here say less of it; name a smaller type, or check on a machine of that size",
        ),
        _cpus,
    ),
    _CAPACITY.check(
        should(
            "memory",
            _TYPES,
            "This machine has the memory of the instance type that is meant.",
            "a model that fits there may not fit here; name a smaller type, or check on a machine of that size",
        ),
        _memory,
    ),
)
