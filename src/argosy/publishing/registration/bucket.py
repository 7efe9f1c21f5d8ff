"""The bucket for artifacts and samples, in the package's region: made closed to the public and encrypted.

Both are what S3 gives a new bucket by itself (since 2023); it is said all the same, so that it does not depend on that.

Source: Amazon S3 API reference, CreateBucket, PutPublicAccessBlock, PutBucketEncryption; user guide, "Setting default
server-side encryption behavior"; AWS News Blog, "Amazon S3 Security Changes Are Coming in April of 2023" (read
2026-11-23).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.account import bucket_region_of
from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.aws.refusals import DENIED
from argosy.errors import AwsError, PlanError
from argosy.planning.step import Change, Kind, Obstacle, Outputs, Work
from argosy.publishing.registration.offering import ACCOUNT_KEY, Offering

_ABSENT: Final = ("404", "NoSuchBucket", "NotFound")
_OURS: Final = ("BucketAlreadyOwnedByYou",)
_NO_CONSTRAINT: Final = "us-east-1"
"""The one region that a bucket's LocationConstraint cannot name."""

_UNFINISHED: Final = "unfinished"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket. One that is there stays as it is, unless an earlier run was killed while it made it.

    Names of buckets are the world's: one that is another account's is refused, however open it is.
    """

    offering: Offering

    @property
    def key(self) -> str:
        """See `Step`."""
        return self.offering.key("bucket")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
            InvalidCallError: S3 does not take the name.
            PlanError: The bucket is another account's.
        """
        name, region = self.offering.bucket, self.offering.region
        title, outputs = f"bucket {name} in {region}", {"name": name}
        owner = known.get(ACCOUNT_KEY, {}).get("id")
        asked = self._call("HeadBucket", **({"ExpectedBucketOwner": owner} if owner else {}))
        try:
            answer = reader.ask(asked, _ABSENT)
        except AwsError as error:
            if error.refusal not in DENIED:
                raise
            raise PlanError(
                "the bucket is another account's, or the credentials may not ask for it",
                got=error.refusal,
                where=f"s3://{name}",
                hint=f"argosy.toml, [marketplace.account]: another bucket; or allow s3:ListBucket on {name}",
            ) from None
        if answer is None:
            writes = (self._create(), *self._closing())
            return Change(self.key, title, Kind.CREATE, writes, (asked,), outputs=outputs)
        found = bucket_region_of(answer)
        if found and found != region:
            fault = Obstacle(
                f"the bucket is in another region than the model package (A04): got {found}, want {region}",
                'argosy.toml, [marketplace.account]: bucket = "NAME-{region}", one in each region',
            )
            return Change(self.key, title, Kind.NOTHING, reads=(asked,), outputs=outputs, obstacle=fault)
        if known.get(self.key, {}).get(_UNFINISHED) == name:
            return Change(self.key, title, Kind.UPDATE, self._closing(), (asked,), outputs=outputs)
        return Change(self.key, title, Kind.NOTHING, reads=(asked,), outputs=outputs)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`."""
        work.note({_UNFINISHED: self.offering.bucket})
        for call in change.writes:
            work.api.write(call, _OURS)
        work.report(f"made {change.title}")
        return {**change.outputs, _UNFINISHED: ""}

    def _create(self) -> Call:
        if self.offering.region == _NO_CONSTRAINT:
            return self._call("CreateBucket")
        return self._call("CreateBucket", CreateBucketConfiguration={"LocationConstraint": self.offering.region})

    def _closing(self) -> tuple[Call, Call]:
        """What a bucket gets that was just made."""
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
        return (
            self._call("PutPublicAccessBlock", PublicAccessBlockConfiguration=dict.fromkeys(names, True)),
            self._call("PutBucketEncryption", ServerSideEncryptionConfiguration=encryption),
        )

    def _call(self, operation: str, **more: Any) -> Call:  # any member of the three requests
        return Call("s3", operation, self.offering.region, {"Bucket": self.offering.bucket, **more})
