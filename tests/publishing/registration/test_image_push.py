import base64
from collections.abc import Collection
from typing import Any

import pytest

from argosy.aws.api import EmptyAccount
from argosy.aws.call import Call
from argosy.errors import ImageError, PlanError, RegistryError
from argosy.image.image import DOCKER_MANIFEST, OCI_MANIFEST
from argosy.planning.step import Kind, Work
from argosy.publishing.registration.image_push import ImagePush
from argosy.publishing.registration.offering import Offering
from argosy.publishing.registration.repository import Repository
from argosy.testing.local_aws import SELLER
from tests.local_aws.stand_in import small_image
from tests.publishing.sellers import Seller


def stages(seller: Seller, offering: Offering) -> list[Any]:
    return seller.steps(offering, Repository(offering), ImagePush(offering, seller.access))


def test_the_image_is_pushed_under_its_version_and_asked_back(seller: Seller) -> None:
    offering = seller.offering()
    given = seller.carry_out(stages(seller, offering))["us-east-1/image"]
    (stored,) = seller.client("ecr").describe_images(repositoryName=f"team/{seller.name}")["imageDetails"]
    assert stored["imageTags"] == ["1.0.0"]
    assert (stored["imageDigest"], stored["imageManifestMediaType"]) == (offering.image.digest, DOCKER_MANIFEST)
    name = f"{SELLER.number}.dkr.ecr.us-east-1.amazonaws.com/team/{seller.name}"
    assert given == {"digest": offering.image.digest, "reference": f"{name}@{offering.image.digest}"}
    again = seller.last(stages(seller, offering))
    assert (again.kind, again.outputs) == (Kind.NOTHING, given)


def test_an_oci_image_is_pushed_as_dockers_schema_2(seller: Seller) -> None:
    offering = seller.offering(image=small_image(seller.name, OCI_MANIFEST))
    told = "manifest: application/vnd.oci.image.manifest.v1+json -> Docker's schema 2"
    assert seller.last(stages(seller, offering)).notes[0].startswith(told)
    seller.carry_out(stages(seller, offering))
    (stored,) = seller.client("ecr").describe_images(repositoryName=f"team/{seller.name}")["imageDetails"]
    assert (stored["imageDigest"], stored["imageManifestMediaType"]) == (offering.image.digest, DOCKER_MANIFEST)


def test_another_image_under_the_tag_ends_it(seller: Seller) -> None:
    seller.carry_out(stages(seller, seller.offering()))
    other = seller.offering(image=small_image(f"{seller.name} mended"))
    with pytest.raises(PlanError, match="the tag of this version is another image's") as caught:
        seller.possible(stages(seller, other))
    assert f"want {other.image.digest}" in caught.value.what
    assert caught.value.hint is not None
    assert f"batch-delete-image --region us-east-1 --repository-name team/{seller.name}" in caught.value.hint


def test_a_layer_that_is_not_what_its_digest_says_is_never_stored(seller: Seller) -> None:
    offering = seller.offering()
    layer = offering.image.layers[0].digest.replace(":", "/")
    (seller.folder / "project/build/image/blobs" / layer).write_bytes(b"x" * offering.image.layers[0].size)
    with pytest.raises((ImageError, RegistryError)):
        seller.carry_out(stages(seller, offering))
    assert seller.last(stages(seller, offering)).kind is Kind.CREATE


def test_the_token_is_neither_in_what_is_said_nor_in_what_is_kept(seller: Seller) -> None:
    seller.carry_out(stages(seller, seller.offering()))
    token = seller.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    secret = base64.b64decode(token).decode().partition(":")[2]
    kept = (seller.folder / "project/.argosy/seller.json").read_text()
    shown = kept + "\n".join(seller.said) + repr(seller.access)
    assert secret
    assert secret not in shown
    assert token not in shown


class Answering(EmptyAccount):
    """An account in which ECR's GetAuthorizationToken answers this."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        return self._answer if call.operation == "GetAuthorizationToken" else super().ask(call, absent)

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        raise AssertionError(call)


@pytest.mark.parametrize(
    "granted",
    [
        {},
        {"authorizationToken": "bm8tY29sb24=", "proxyEndpoint": "https://registry"},
        {"authorizationToken": "not base64", "proxyEndpoint": "https://registry"},
        {"authorizationToken": "dXNlcjpzZWNyZXQ="},
        {"authorizationToken": "dXNlcjpzZWNyZXQ=", "proxyEndpoint": "https://registry:port"},
    ],
)
def test_an_answer_without_a_login_ends_it_and_is_not_shown(seller: Seller, granted: dict[str, str]) -> None:
    api = Answering({"authorizationData": [granted]})
    offering = seller.offering()
    step = ImagePush(offering, seller.access)
    work = Work(api, {}, seller.said.append, lambda _: None)
    with pytest.raises(RegistryError, match="ECR gave no authorization token") as caught:
        step.apply(step.look(api, {}), work)
    assert not [text for text in granted.values() if text in str(caught.value)]
