"""The image at rest: manifest, platform, entry point, user, what must not be in it."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.image_checks.start_command import entry_point
from argosy.conformance.scenes.at_rest import Files, Still
from argosy.conformance.sources import FEEDBACK_ISSUES, MARKETPLACE_SECURITY
from argosy.contract import CREATE_TRANSFORM_JOB, HOSTING_PAGE
from argosy.image.image import DOCKER_LAYER, DOCKER_MANIFEST
from argosy.image.materials.secrets import search_config

_SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_INITS: Final = frozenset({"tini", "tini-static", "docker-init"})
_LIKE_INITS: Final = frozenset({"dumb-init", "catatonit", "s6-svscan", "init", "my_init"})
_ROOT: Final = frozenset({"", "0", "root", "0:0", "root:root", "0:root", "root:0"})


def _manifest(still: Still) -> Verdict:
    image = still.image
    if not still.is_stored:
        return unknown("it is made when the image is pushed: check docker://REGISTRY/REPOSITORY:TAG after the push")
    if image.index_bytes is not None:
        return failed("the reference names an index of several manifests", _seen("index", image.media_type))
    if image.media_type != DOCKER_MANIFEST:
        return failed("the manifest is not Docker v2 schema 2", _seen("manifest", image.media_type))
    others = sorted({layer.media_type for layer in image.layers} - {DOCKER_LAYER})
    if others:
        return failed("not every layer is a gzip layer", _seen("layers", ", ".join(others)))
    return passed(f"Docker v2 schema 2 with {len(image.layers)} gzip layers")


def _platform(still: Still) -> Verdict:
    config = still.image.config
    platform = f"{config.get('os')}/{config.get('architecture')}"
    if platform != "linux/amd64":
        return failed(f"the config says {platform}", _seen("config", platform))
    return passed("the config says linux/amd64")


def _exec_form(still: Still) -> Verdict:
    words = entry_point(still.image)
    if len(words) >= 2 and PurePosixPath(words[0]).name in _SHELLS and words[1] == "-c":
        return failed("ENTRYPOINT has the shell form: the shell gets SIGTERM", _seen("ENTRYPOINT", str(words)))
    if not words:
        return passed("no ENTRYPOINT: `serve` is started directly")
    return passed(f"exec form: {words}")


def _init(still: Still) -> Verdict:
    words = entry_point(still.image)
    name = PurePosixPath(words[0]).name if words else ""
    if name in _INITS:
        return failed(f"`{name}` is the entry point", _seen("ENTRYPOINT", str(words)))
    if name in _LIKE_INITS:
        return unknown(f"AWS names tini; nobody wrote down whether `{name}` works", _seen("ENTRYPOINT", name))
    return passed("no init in front of the server")


def _root(still: Still) -> Verdict:
    user = str(still.image.runtime.get("User") or "")
    if user not in _ROOT:
        return failed(f"USER is `{user}`", _seen("USER", user))
    return passed("runs as root")


def _secrets(files: Files) -> Verdict:
    search = files.search
    found = [str(secret) for secret in (*search_config(files.image), *search.found)]
    if found:
        return failed(found[0] if len(found) == 1 else f"{len(found)} secrets", *(_seen(*x) for x in _places(found)))
    return passed(
        f"none in environment, labels, history, and {search.files} files of {search.layers} layers: names, deleted ones"
        " too, and keys and tokens in text"
    )


def _places(found: list[str]) -> Iterator[tuple[str, str]]:
    for sentence in found[:10]:
        yield "image", sentence


def _seen(what: str, text: str) -> Evidence:
    return Evidence(what, text)


_GROUP: Final[Group[Still]] = Group("image", Still)
_FILES: Final[Group[Files]] = Group("image", Files)

CHECKS: Final[tuple[Check[Still] | Check[Files], ...]] = (
    _GROUP.check(
        must(
            "image-manifest",
            f"{FEEDBACK_ISSUES}/180",
            "The stored manifest is one Docker v2 schema 2 image with gzip layers, not an OCI manifest or an index.",
            "docker buildx build --platform linux/amd64 --provenance=false --sbom=false"
            " --output type=image,oci-mediatypes=false,push=true, or argosy image convert",
            rows="I01 I02 I03 F01",
        ),
        _manifest,
    ),
    _GROUP.check(
        must(
            "image-platform",
            CREATE_TRANSFORM_JOB,
            "The image is for linux/amd64: no instance type of a transform job has another processor.",
            "build with --platform linux/amd64",
            rows="C03 F02",
        ),
        _platform,
    ),
    _GROUP.check(
        must(
            "image-exec-form",
            HOSTING_PAGE,
            "ENTRYPOINT has the exec form, so that the program itself receives SIGTERM.",
            'write ENTRYPOINT ["program", "argument"], not ENTRYPOINT program argument',
            rows="C13 S01",
        ),
        _exec_form,
    ),
    _GROUP.check(
        must(
            "image-init",
            HOSTING_PAGE,
            "The entry point is no init such as tini, which is confused by the argument `serve`.",
            "make the server itself the ENTRYPOINT",
            rows="C14 S02",
        ),
        _init,
    ),
    _GROUP.check(
        must(
            "image-root", HOSTING_PAGE, "The container runs as root.", "remove USER from the Dockerfile", rows="C15 S02"
        ),
        _root,
    ),
    _FILES.check(
        should(
            "image-secrets",
            MARKETPLACE_SECURITY,
            "No secret is in the image's environment, history or files: whoever may run it may read it.",
            "revoke what was found, pass it as a build secret (RUN --mount=type=secret), and build again",
            rows="N05",
        ),
        _secrets,
    ),
)
