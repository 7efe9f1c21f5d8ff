"""Tags of any resource: AddTags, ListTags, DeleteTags."""

from typing import Final

from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store

_MOST: Final = 50


class Tags:
    """The tags of all resources.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, region: str, request: Json, now: float) -> Json:
        """AddTags: those of the same key get the new value.

        Raises:
            Refusal: There is no such resource, it would have more than 50 tags, or as `tags_of`.
        """
        arn = self._found(request["ResourceArn"]).arn
        tags = self._store.tags(arn) | tags_of(request)
        if len(tags) > _MOST:
            raise Refusal(f"The number of tags {len(tags)} exceeds the limit of {_MOST}.", "ResourceLimitExceeded")
        self._store.set_tags(arn, tags)
        return {"Tags": _listed(tags)}

    async def list(self, region: str, request: Json, now: float) -> Json:
        """ListTags: all on one page, since a resource has at most 50."""
        if "NextToken" in request:
            raise Refusal("Invalid pagination token")
        return {"Tags": _listed(self._store.tags(self._found(request["ResourceArn"]).arn))}

    async def delete(self, region: str, request: Json, now: float) -> Json:
        """DeleteTags: keys that are not there are passed over."""
        arn = self._found(request["ResourceArn"]).arn
        gone = set(request["TagKeys"])
        self._store.set_tags(arn, {key: value for key, value in self._store.tags(arn).items() if key not in gone})
        return {}

    def _found(self, arn: str) -> Resource:
        region, _, path = arn.split(":", 3)[-1].partition(":")
        kind, _, name = path.partition(":")[2].partition("/")
        found = self._store.find(Kind(kind), region, name) if kind in set(Kind) else None
        if found is None or found.arn != arn.lower():
            raise Refusal(f"The resource {arn} does not exist.", "ResourceNotFound")
        return found


def tags_of(request: Json) -> dict[str, str]:
    """The tags of a request.

    UNSURE: the sentences on tags are not AWS's own; the rules are those of its guide to tagging (read 2026-11-23).

    Raises:
        Refusal: A key is there twice, or begins as those of AWS itself do.
    """
    tags: dict[str, str] = {}
    for tag in request.get("Tags", ()):
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise Refusal(f"The tag key {key} is not allowed: keys that begin with aws: are for AWS itself.")
        if key in tags:
            raise Refusal(f"The tag key {key} is there twice.")
        tags[key] = tag["Value"]
    return tags


def _listed(tags: dict[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
