"""The image in ECR under the version's tag: pushed over the registry's protocol, then asked of ECR what it has stored.

The registry is where ECR's GetAuthorizationToken says; the name of the image stays ECR's own.

Source: Amazon ECR User Guide, "Private registry authentication"; API reference, DescribeImages (read 2026-11-23).
"""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from argosy.aws.api import Api, Reader
from argosy.aws.call import Call
from argosy.aws.ecr import parse_authorization
from argosy.errors import RegistryError
from argosy.image.image import DOCKER_MANIFEST
from argosy.image.reference import RegistryReference
from argosy.planning.step import Change, Kind, Obstacle, Outputs, Work
from argosy.publishing.registration.offering import Offering
from argosy.registry import client
from argosy.registry.access import Access
from argosy.registry.auth import Credentials

_ABSENT: Final = ("ImageNotFoundException", "RepositoryNotFoundException")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ImagePush:
    """The image; gives its `digest` and, once the account is known, its `reference` by digest.

    Attributes:
        offering: What is brought.
        access: For reading and pushing the image.
    """

    offering: Offering
    access: Access

    @property
    def key(self) -> str:
        """See `Step`."""
        return self.offering.key("image")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        offering = self.offering
        title = f"image {offering.repository}:{offering.tag} in {offering.region}"
        outputs = {"digest": offering.image.digest}
        if reference := offering.image_reference(known):
            outputs["reference"] = reference
        asked = self._describe()
        answer = reader.ask(asked, _ABSENT)
        found = None if answer is None else next(iter(answer.get("imageDetails", ())), None)
        if found is not None:
            fault = self._fault(found)
            return Change(self.key, title, Kind.NOTHING, reads=(asked,), outputs=outputs, obstacle=fault)
        layers = offering.image.layers
        size = sum(layer.size for layer in layers)
        size_note = f"{len(layers)} layers, {size / 1e6:,.1f} MB; only what the registry does not have is sent"
        notes = (*offering.converted, size_note)
        reads = (asked, self._authorize())
        return Change(self.key, title, Kind.CREATE, (self._put(),), reads, notes=notes, outputs=outputs)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`.

        Raises:
            RegistryError: The registry refuses, or has stored something else.
            ImageError: The image is not what its digests say.
        """
        offering, api = self.offering, work.api
        host, login = self._login(api)
        logins = {host: _Renewed(self, api, login)}
        place = RegistryReference(host, offering.repository, offering.tag)
        client.push(place, replace(self.access, logins=logins), offering.image)
        answer = api.ask(self._describe(), _ABSENT)
        found = None if answer is None else next(iter(answer.get("imageDetails", ())), None)
        if found is None:
            raise RegistryError("ECR does not have the image that was pushed", where=place)
        if fault := self._fault(found):
            raise RegistryError(fault.what, where=place, hint=fault.hint)
        work.report(f"pushed {change.title}: {offering.image.digest}")
        return change.outputs

    def log_in(self, api: Api) -> Credentials:
        """A login that has just been given."""
        return self._login(api)[1]

    def _login(self, api: Api) -> tuple[str, Credentials]:
        """The registry's host, perhaps with its port, and a login there."""
        try:
            url, login = parse_authorization(api.ask(self._authorize()))
            parts = urllib.parse.urlsplit(url)
            host, port = str(parts.hostname or ""), parts.port
        except (ValueError, LookupError, TypeError):
            host, port = "", None
        if not host:
            raise RegistryError("ECR gave no authorization token", where=f"ecr:{self._authorize().operation}")
        is_default = port is None or port == _DEFAULT_PORTS.get(parts.scheme)
        return host if is_default else f"{host}:{port}", Credentials(login.user, login.password)

    def _fault(self, found: Mapping[str, Any]) -> Obstacle | None:
        """Why a stored image is not ours, or none that SageMaker takes. Any: an image as ECR describes it."""
        offering = self.offering
        digest, media_type = str(found.get("imageDigest")), str(found.get("imageManifestMediaType", DOCKER_MANIFEST))
        if digest != offering.image.digest:
            return Obstacle(
                f"the tag of this version is another image's: got {digest}, want {offering.image.digest}",
                'argosy.toml, [marketplace]: a new version = "..."; or, while no package names that image: '
                f"aws ecr batch-delete-image --region {offering.region} --repository-name {offering.repository} "
                f"--image-ids imageTag={offering.tag}",
            )
        if media_type != DOCKER_MANIFEST:
            return Obstacle(
                f"ECR has stored a manifest that SageMaker does not take: got {media_type}, want {DOCKER_MANIFEST}",
                "push it with argosy push alone, which sends what SageMaker takes",
            )
        return None

    def _describe(self) -> Call:
        wanted = {"repositoryName": self.offering.repository, "imageIds": [{"imageTag": self.offering.tag}]}
        return Call("ecr", "DescribeImages", self.offering.region, wanted)

    def _authorize(self) -> Call:
        return Call("ecr", "GetAuthorizationToken", self.offering.region, {})

    def _put(self) -> Call:
        """The push, as ECR's API would name it; over the registry's protocol it needs the same permissions."""
        image = self.offering.image
        wanted = {
            "repositoryName": self.offering.repository,
            "imageTag": self.offering.tag,
            "imageDigest": image.digest,
            "imageManifestMediaType": image.media_type,
        }
        return Call("ecr", "PutImage", self.offering.region, wanted)


class _Renewed:
    """The login that was given first, then a new one each time, since the registry asks again when it has expired."""

    def __init__(self, step: ImagePush, api: Api, first: Credentials) -> None:
        self._step = step
        self._api = api
        self._first: Credentials | None = first

    def __call__(self) -> Credentials:
        first, self._first = self._first, None
        return first or self._step.log_in(self._api)
