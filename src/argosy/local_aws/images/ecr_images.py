"""The images of ECR's repositories: what both doors may do with them, and what ECR refuses."""

from collections.abc import Callable
from dataclasses import dataclass

from argosy.errors import ImageError
from argosy.image.image import DOCKER_MANIFEST, INDEXES, MANIFESTS, OCI_INDEX, digest_of, is_digest, parse_object
from argosy.image.reference import is_tag
from argosy.local_aws.images import refusals
from argosy.local_aws.images.refusals import EcrRefusal
from argosy.local_aws.images.scans import Scans
from argosy.local_aws.images.store import ImageStore, Repository, RepositoryName, StoredImage, parts_of
from argosy.local_aws.images.uploads import Upload, Uploads

FindRepository = Callable[[RepositoryName], Repository | None]


@dataclass(frozen=True, slots=True)
class EcrImages:
    """The images of all repositories.

    Attributes:
        store: Has them.
        uploads: Blobs on their way.
        scans: What scans of them find.
        find_repository: Knows the repositories, which are not made here.
    """

    store: ImageStore
    uploads: Uploads
    scans: Scans
    find_repository: FindRepository

    def repository(self, name: RepositoryName) -> Repository:
        """A repository that is there.

        Raises:
            EcrRefusal: It is not.
        """
        found = self.find_repository(name)
        if found is None:
            raise refusals.repository_not_found(name)
        return found

    def image(self, name: RepositoryName, digest: str | None, tag: str | None) -> StoredImage:
        """An image that is there, by digest, by tag, or by both where they agree.

        Raises:
            EcrRefusal: It is not.
        """
        found = self.store.find(name, digest or tag or "")
        if found is None or (tag is not None and tag not in found.tags):
            raise refusals.image_not_found(name, digest, tag)
        return found

    def push(
        self, repository: Repository, manifest: bytes, media_type: str | None, tag: str | None, digest: str | None
    ) -> StoredImage:
        """Take a manifest whose blobs are there.

        Args:
            repository: Where it goes.
            manifest: Its bytes.
            media_type: What the request says that it is.
            tag: What is to name it.
            digest: What the request says that it has.

        Raises:
            EcrRefusal: It is no manifest, lacks blobs, has another digest, or its tag is none, or another image's and
                stays.
        """
        name, kind = repository.name, _media_type(manifest, media_type)
        if tag is not None and not is_tag(tag):
            raise refusals.not_a_tag(tag)
        if digest not in (None, digest_of(manifest)):
            raise EcrRefusal(
                "ImageDigestDoesNotMatchException",
                f"The image digest '{digest}' is not that of the manifest, '{digest_of(manifest)}'",
            )
        try:
            digests = [each["digest"] for each in parts_of(manifest)]
        except ValueError as error:
            raise _invalid(str(error)) from None
        if kind in INDEXES:
            absent = [digest for digest in digests if self.store.find(name, digest) is None]
            if absent:
                raise EcrRefusal(
                    "ReferencedImagesNotFoundException",
                    f"Images with digests '[{', '.join(absent)}]' required for pushing image into repository with name "
                    f"'{name.name}' in the registry with id '{name.account}' do not exist",
                )
        else:
            absent = [digest for digest in digests if not self.store.has_layer(name, digest)]
            if absent:
                raise refusals.layers_not_found(name, absent)
        there = None if tag is None else self.store.find(name, tag)
        if tag is not None and there is not None and there.digest != digest_of(manifest) and repository.is_fixed(tag):
            raise refusals.tag_is_taken(name, tag)
        stored = self.store.put(name, manifest, kind, tag)
        if repository.scans_on_push:
            self.scans.start(name.uri, stored.digest)
        return stored

    def finish_upload(self, upload: Upload, name: str, digest: str) -> str:
        """A blob is whole; returns its digest.

        Raises:
            EcrRefusal: It is not what it was said to be; nothing is kept of it.
        """
        if upload.digest != digest:
            got = upload.digest
            self.uploads.discard(name)
            raise EcrRefusal(
                "InvalidLayerException", f"Layer digest calculation mismatch: got '{got}', expected '{digest}'"
            )
        return self.uploads.finish(name)

    def remove(self, name: RepositoryName, digest: str) -> None:
        """Forget an image and its scan."""
        self.store.remove(name, digest)
        self.scans.forget(name.uri, digest)

    def untag(self, name: RepositoryName, tag: str) -> None:
        """Take a tag away; an image that no other tag names goes with its scan."""
        found = self.store.find(name, tag)
        self.store.untag(name, tag)
        if found is not None and self.store.find(name, found.digest) is None:
            self.scans.forget(name.uri, found.digest)

    def remove_all(self, name: RepositoryName) -> None:
        """Forget the images of a repository, and their scans."""
        for image in self.store.all(name):
            self.scans.forget(name.uri, image.digest)
        self.store.remove_all(name)


def _media_type(manifest: bytes, given: str | None) -> str:
    """What the manifest says it is, which the request must not contradict.

    Raises:
        EcrRefusal: It is nothing that ECR stores.
    """
    try:
        manifest.decode()  # JSON could be UTF-16, and the API answers manifests as texts
        found = parse_object(manifest, "the manifest")
    except UnicodeDecodeError:
        raise _invalid("the manifest is not UTF-8") from None
    except ImageError as error:
        raise _invalid(error.message) from None
    own = found.get("mediaType")
    media_type = own or given or (OCI_INDEX if "manifests" in found else DOCKER_MANIFEST)
    if media_type not in (*MANIFESTS, *INDEXES):
        raise _invalid(f"unsupported media type '{media_type}'")
    if own is not None and given is not None and own != given:
        raise _invalid(f"the manifest says that it is '{own}', and the request '{given}'")
    for each in _parts(manifest):
        if not is_digest(each.get("digest")):
            raise _invalid("a digest is no sha256 digest")
        size = each.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise _invalid("a descriptor without a size")
    return str(media_type)


def _parts(manifest: bytes) -> list[dict[str, object]]:
    try:
        return list(parts_of(manifest))
    except ValueError as error:
        raise _invalid(str(error)) from None


def _invalid(why: str) -> EcrRefusal:
    return EcrRefusal(
        "InvalidParameterException",
        f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax or manifest: {why}'",
    )
