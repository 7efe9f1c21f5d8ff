"""Project -> image through a container engine: its Dockerfile is built there, and the result read back and checked."""

import tempfile
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from argosy.engine import Engine
from argosy.errors import EngineError, ImageError, UsageError
from argosy.image.build import Built
from argosy.image.convert import convert
from argosy.image.dockerfile.context import FOLDER, Ejection, eject, secret_check
from argosy.image.dockerfile.locked_files import netrc
from argosy.image.dockerfile.text import LOGINS
from argosy.image.image import DOCKER_LAYER, DOCKER_MANIFEST, Image
from argosy.image.layer import LayerCache
from argosy.image.libraries.requirement import require_libraries

PLATFORM: Final = "linux/amd64"


def build_by_engine(
    ejection: Ejection, engine: Engine, read: Callable[[str], Image], cache_dir: Path, say: Callable[[str], None]
) -> Built:
    """Build a project with an engine; its layers are in the cache's blob store, nothing of it stays in the engine.

    Only the engine's own build cache stays. An interrupted build leaves nothing but that.

    Args:
        ejection: What is built.
        engine: Builds.
        read: Reads an image of the engine, by its name.
        cache_dir: The user's cache folder.
        say: Told what the engine says, line by line.

    Raises:
        ImageError: The build failed, or gave an image that SageMaker would not take.
        MissingLibraryError: A program in the image lacks a library.
        EngineError: The engine does not answer.
        SecretFoundError: A file, a variable or the history seems to be a secret.
        UsageError: A variable cannot stand in a Dockerfile, or nobody looked at the base image.
    """
    base = ejection.foundation.base_image
    if base is None:
        raise UsageError("an engine builds on a base image that was looked at", got=f"`{ejection.foundation.name}`")
    tag = f"argosy-build:{uuid.uuid4().hex}"
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".argosy-", dir=cache_dir) as aside:
        context = Path(aside) / FOLDER
        eject(ejection, context)
        secrets = {}
        if ejection.needs_login:
            secrets[LOGINS] = Path(aside) / LOGINS
            secrets[LOGINS].touch(0o600)
            secrets[LOGINS].write_bytes(netrc(ejection.installed, ejection.downloads.credentials))
        try:
            engine.build(context, tag, secrets, say)
            image = convert(read(tag), LayerCache(cache_dir), trusting=True).image
        finally:
            with suppress(EngineError):  # it has not come so far, or the error under way says why
                engine.remove_image(tag)
    require_accepted(image)
    secret_check(ejection.project).require_none_in_config(image)
    require_libraries(image, base.image, ejection.project, cache_dir, say)
    return Built(image, ejection.parts, base)


def require_accepted(image: Image) -> None:
    """Refuse an image that SageMaker would not take.

    Raises:
        ImageError: It is for another platform, one of several, or not Docker's schema 2 with gzip layers.

    Source: "Unsupported manifest media type" (mlflow#13834, amazon-sagemaker-feedback#180, read 2026-11-22).
    """
    platform = f"{image.config.get('os')}/{image.config.get('architecture')}"
    layers = sorted({layer.media_type for layer in image.layers} - {DOCKER_LAYER})
    for what, got, want in (
        ("an image for another platform", platform, PLATFORM),
        ("another manifest than SageMaker takes", image.media_type, DOCKER_MANIFEST),
        ("layers that SageMaker does not take", ", ".join(layers) or DOCKER_LAYER, DOCKER_LAYER),
        ("an index of images", "an index" if image.index_bytes else "one image", "one image"),
    ):
        if got != want:
            raise ImageError(f"the engine built {what}", got=got, want=want)
