"""Change sets: started, described, listed, cancelled; and brought forward as time passes.

A change set is judged when it ends. From its start until then its entities are locked (StartChangeSet). One with the
intent VALIDATE goes the same way, locks nothing and changes nothing.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from argosy.local_aws.catalog.judgement import REFERENCE, judge
from argosy.local_aws.catalog.packages import ModelPackage, package_of, trusted_services
from argosy.local_aws.catalog.product_changes import DETAILS
from argosy.local_aws.catalog.requests import changes_of, check_entities, fingerprint, require_catalog
from argosy.local_aws.catalog.setting import Setting
from argosy.local_aws.marketplace.pages import page
from argosy.local_aws.marketplace.refusal import Refusal, invalid, not_found
from argosy.local_aws.marketplace.state import Change, ChangeSet, Json, State
from argosy.local_aws.marketplace.surroundings import Surroundings, arn, moment

DETAILS_LENGTH: Final = 16384
"""Longest `Details`; what is longer is in `DetailsDocument` alone."""

_PAGE: Final = 20
_TIMES: Final[Mapping[str, str]] = {
    "BeforeStartTime": "started",
    "AfterStartTime": "started",
    "BeforeEndTime": "ended",
    "AfterEndTime": "ended",
}


class ChangeSets:
    """The change sets of all sellers.

    Args:
        surroundings: What AWS Marketplace works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings

    def start(self, account: str, request: Json, now: float) -> Json:
        """StartChangeSet.

        Raises:
            Refusal: It is not of the shapes, names what is not the caller's, or an entity is locked.
        """
        state, options = self._around.store.state, self._around.options
        token, mark = request.get("ClientRequestToken"), fingerprint(request)
        for there in state.change_sets.values():
            if token is not None and there.account == account and there.token == token:
                if there.fingerprint != mark:
                    raise invalid(f"ClientRequestToken {token} was given with another request.")
                return _named(there)
        changes = changes_of(request, options)
        check_entities(changes, state, account, options)
        changes = tuple(_without_revision(change) for change in changes)
        intent = request.get("Intent", "APPLY")
        if intent == "VALIDATE":
            self._require_validation(changes)
        _require_unlocked(changes, state)
        applying_at = now + options.preparing_ms / 1000
        took_ms = options.applying_ms + (options.review_ms if _goes_public(changes) else 0)
        started = ChangeSet(
            id=self._around.new_id("").replace("-", "")[:25],
            account=account,
            changes=changes,
            started=now,
            applying_at=applying_at,
            ending_at=applying_at + took_ms / 1000,
            intent=intent,
            fingerprint=mark,
            name=request.get("ChangeSetName"),
            token=token,
        )
        self._around.store.keep(state.with_change_set(started))
        return _named(started)

    def describe(self, account: str, request: Json, now: float) -> Json:
        """DescribeChangeSet."""
        require_catalog(request)
        change_set = self._found(account, request["ChangeSetId"])
        return {
            **_summary(change_set),
            "Intent": change_set.intent,
            "FailureDescription": change_set.failure,
            "ChangeSet": [_described(change) for change in change_set.changes],
        }

    def list(self, account: str, request: Json, now: float) -> Json:
        """ListChangeSets: the caller's, filtered by everything that FilterList says, latest first."""
        require_catalog(request)
        mine = [each for each in self._around.store.state.change_sets.values() if each.account == account]
        for given in request.get("FilterList", ()):
            mine = [each for each in mine if _matches(each, given)]
        sort = request.get("Sort", {})
        by = sort.get("SortBy", "StartTime")
        if by not in ("StartTime", "EndTime"):
            raise invalid(f"Change sets cannot be sorted by {by}; StartTime and EndTime are possible.")
        falls = sort.get("SortOrder", "DESCENDING") == "DESCENDING"
        mine.sort(key=lambda each: each.started if by == "StartTime" else each.ended or 0, reverse=falls)
        shown, token = page(mine, request.get("MaxResults", _PAGE), request.get("NextToken"))
        return {"ChangeSetSummaryList": [_summary(each) for each in shown], "NextToken": token}

    def cancel(self, account: str, request: Json, now: float) -> Json:
        """CancelChangeSet: possible until it is APPLYING."""
        require_catalog(request)
        change_set = self._found(account, request["ChangeSetId"])
        if change_set.status == "APPLYING":
            raise Refusal("ResourceInUseException", f"Change set {change_set.id} is APPLYING and cannot be cancelled.")
        if not change_set.is_open:
            raise invalid(f"Change set {change_set.id} has ended: {change_set.status}.")
        self._keep(replace(change_set, status="CANCELLED", ended=now))
        return _named(change_set)

    def settle(self, now: float) -> None:
        """Bring every change set to where it is by now; those that have ended are judged in the order of their ends."""
        waiting = [each for each in self._around.store.state.change_sets.values() if each.is_open]
        for change_set in sorted(waiting, key=lambda each: each.ending_at):
            if now >= change_set.ending_at:
                self._end(change_set)
            elif now >= change_set.applying_at and change_set.status == "PREPARING":
                self._keep(replace(change_set, status="APPLYING"))

    def _end(self, change_set: ChangeSet) -> None:
        """Judge a change set, make the copies of its packages, and keep what it makes."""
        before = self._around.store.state
        ended = replace(change_set, ended=change_set.ending_at)
        try:
            judgement = judge(before, change_set.changes, self._setting(change_set))
            made = judgement.state if change_set.intent == "VALIDATE" else self._published(judgement.state)
        except Exception as error:
            self._around.report(f"change set {change_set.id}: {type(error).__name__}: {error}")
            self._keep(replace(ended, status="FAILED", failure_code="SERVER_FAULT", failure=type(error).__name__))
            return
        if judgement.is_refused:
            codes = sorted({fault.code for change in judgement.changes for fault in change.faults})
            failure = f"The change set failed: {', '.join(codes)}."
            failed = replace(ended, status="FAILED", failure_code="CLIENT_ERROR", failure=failure)
            self._keep(replace(failed, changes=judgement.changes))
        elif change_set.intent == "VALIDATE":
            self._keep(replace(ended, status="SUCCEEDED"))
        else:
            done = replace(ended, status="SUCCEEDED", changes=judgement.changes)
            self._around.store.keep(made.with_change_set(done))

    def _setting(self, change_set: ChangeSet) -> Setting:
        """Look up what the changes name."""
        added = [
            change.details["DeliveryOptions"][0]["Details"][DETAILS]
            for change in change_set.changes
            if change.type == "AddDeliveryOptions"
        ]
        arns = {option["SageMakerModelPackageArn"] for option in added}
        roles = {option["AccessRoleArn"] for option in added}
        return Setting(
            account=change_set.account,
            now=change_set.ending_at,
            options=self._around.options,
            packages={arn: self._package(arn) for arn in arns},
            trusted={role: self._trusted(role) for role in roles},
            new_id=self._around.new_id,
        )

    def _package(self, package_arn: str) -> ModelPackage | None:
        view = self._around.packages.package(package_arn)
        return None if view is None else package_of(view)

    def _trusted(self, role_arn: str) -> frozenset[str] | None:
        policy = self._around.trust_policy(role_arn)
        return None if policy is None else trusted_services(policy)

    def _published(self, state: State) -> State:
        """The state in which every version has copies; those that are made before the process ends are made once."""
        for product in state.products.values():
            versions = tuple(
                version if version.published else replace(version, published=self._copies(version.package_arn))
                for version in product.versions
            )
            state = state if versions == product.versions else state.with_product(replace(product, versions=versions))
        return state

    def _copies(self, package_arn: str) -> dict[str, str]:
        copy = self._around.packages.copy_to_marketplace
        return {region: copy(package_arn, region) for region in self._around.options.regions}

    def _require_validation(self, changes: tuple[Change, ...]) -> None:
        """UNSURE: which change sets can be validated; AWS's model names versions of AMIs, a page those of models."""
        allowed = self._around.options.validates
        if allowed == "none" or (allowed == "versions" and any(each.type != "AddDeliveryOptions" for each in changes)):
            raise invalid("Intent VALIDATE is not supported for these change types.")

    def _found(self, account: str, id_: str) -> ChangeSet:
        change_set = self._around.store.state.change_sets.get(id_)
        if change_set is None or change_set.account != account:
            raise not_found(f"Change set '{id_}' was not found.")
        return change_set

    def _keep(self, change_set: ChangeSet) -> None:
        self._around.store.keep(self._around.store.state.with_change_set(change_set))


def _without_revision(change: Change) -> Change:
    return replace(change, entity_id=change.entity_id.partition("@")[0])


def _goes_public(changes: tuple[Change, ...]) -> bool:
    return any(change.details.get("TargetVisibility") == "Public" for change in changes)


def _require_unlocked(changes: tuple[Change, ...], state: State) -> None:
    """The sentence is AWS's: https://github.com/SUSE-Enceladus/aws-mp-utils has it in its tests (read 2026-11-23)."""
    wanted = {change.entity_id for change in changes if change.entity_id and not REFERENCE.fullmatch(change.entity_id)}
    for there in state.change_sets.values():
        if there.is_open and there.intent == "APPLY":
            for locked in sorted(wanted & {change.entity_id for change in there.changes}):
                raise Refusal(
                    "ResourceInUseException",
                    "Requested change set has entities locked by change sets"
                    f" - entity: '{locked}' change sets: {there.id}.",
                )


def _named(change_set: ChangeSet) -> dict[str, Any]:
    return {"ChangeSetId": change_set.id, "ChangeSetArn": arn(change_set.account, "ChangeSet", change_set.id)}


def _summary(change_set: ChangeSet) -> dict[str, Any]:
    """What DescribeChangeSet and ListChangeSets both say."""
    ids = [change.entity_id for change in change_set.changes]
    return {
        **_named(change_set),
        "ChangeSetName": change_set.name,
        "StartTime": moment(change_set.started),
        "EndTime": None if change_set.ended is None else moment(change_set.ended),
        "Status": change_set.status,
        "EntityIdList": [id_ for id_ in dict.fromkeys(ids) if id_ and not REFERENCE.fullmatch(id_)],
        "FailureCode": change_set.failure_code,
    }


def _described(change: Change) -> dict[str, Any]:
    text = json.dumps(change.details)
    return {
        "ChangeType": change.type,
        "ChangeName": change.name,
        "Entity": {"Type": f"{change.entity_type}@1.0", "Identifier": change.identifier or change.entity_id or None},
        "Details": text if len(text) <= DETAILS_LENGTH else None,
        "DetailsDocument": change.details,
        "ErrorDetailList": [{"ErrorCode": each.code, "ErrorMessage": each.message[:2048]} for each in change.faults],
    }


def _matches(change_set: ChangeSet, given: Json) -> bool:
    name, values = given.get("Name", ""), given.get("ValueList", ())
    if name in _TIMES:
        when = getattr(change_set, _TIMES[name])
        is_before = name.startswith("Before")
        return when is not None and any((moment(when) < value) == is_before for value in values)
    if name == "EntityId":
        return any(change.entity_id in values for change in change_set.changes)
    if name == "ChangeSetName":
        return change_set.name in values
    if name == "Status":
        return change_set.status in values
    raise invalid(f"Change sets cannot be filtered by {name or 'nothing'}.")
