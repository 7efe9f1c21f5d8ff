"""Change sets at AWS Marketplace: which are under way, the calls that start one, waiting, what a failure means.

Source: AWS Marketplace Catalog API, StartChangeSet, DescribeChangeSet and ListChangeSets in botocore's
marketplace-catalog 2018-09-17 model (read 2026-11-23).
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import MARKETPLACE_REGION, Call
from argosy.aws.refusals import explain
from argosy.errors import PlanError
from argosy.marketplace.change_set import CATALOG, ChangeSet, Intent
from argosy.marketplace.described import entity_details
from argosy.planning.polling import Telling, poll

LOCKED: Final = "ResourceInUseException"
"""The code for a product or an offer that another change set is at."""
WITHOUT_VALIDATE: Final = "--without-validate"
"""The option for kinds of changes that the service does not validate: which those are is UNSURE."""

_SERVICE: Final = "marketplace-catalog"
_TOKENS: Final = uuid.UUID("6f1a9d0e-6f0b-5c57-9c1c-0e1d5c7a4b52")
_UNDER_WAY: Final = ("PREPARING", "APPLYING")
_LONGEST_S: Final = 24 * 3600.0
_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Recent:
    """The last change sets of a product, or of a name, the newest first.

    Attributes:
        under_way: Ids of those that have not ended.
        failed: Ids of those that came to nothing.
        entities: Ids of what the others have made or changed.
    """

    under_way: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()


def catalog_call(operation: str, **parameters: Any) -> Call:
    """A call of the Catalog API. Any: a request of any shape."""
    return Call(_SERVICE, operation, MARKETPLACE_REGION, {"Catalog": CATALOG, **parameters})


def describing(change_set_id: str) -> Call:
    """The call that tells how a change set stands."""
    return catalog_call("DescribeChangeSet", ChangeSetId=change_set_id)


def listing(change_set: ChangeSet, entities: Sequence[str]) -> Call:
    """The call that tells of the last change sets of some entities; where there is none yet, of those of this name."""
    name, values = ("EntityId", list(entities)) if entities else ("ChangeSetName", [set_name(change_set)])
    return catalog_call(
        "ListChangeSets",
        FilterList=[{"Name": name, "ValueList": values}],
        Sort={"SortBy": "StartTime", "SortOrder": "DESCENDING"},
        MaxResults=_LISTED,
    )


def set_name(change_set: ChangeSet) -> str:
    """The name by which a change set is found."""
    return str(change_set.request("APPLY")["ChangeSetName"])


def recent(reader: Reader, call: Call) -> Recent:
    """What an answer to `listing` says.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    found = reader.ask(call).get("ChangeSetSummaryList") or ()
    return Recent(
        tuple(str(one["ChangeSetId"]) for one in found if one.get("Status") in _UNDER_WAY),
        tuple(str(one["ChangeSetId"]) for one in found if one.get("Status") in ("FAILED", "CANCELLED")),
        tuple(str(id_) for one in found if one.get("Status") == "SUCCEEDED" for id_ in one.get("EntityIdList") or ()),
    )


def starting(change_set: ChangeSet, intent: Intent, basis: tuple[str, ...]) -> Call:
    """The call that starts a change set.

    Its token is made of what it says, so a run after one that was killed starts it once; and of `basis`, so that the
    same is started again where it makes sense.

    Args:
        change_set: What is to be changed.
        intent: `VALIDATE` or `APPLY`.
        basis: Revisions of what is changed, and ids of attempts that came to nothing.

    Raises:
        UsageError: The change set has no change, or too many.
    """
    request = change_set.request(intent)
    content = json.dumps([request, *basis], sort_keys=True, default=str)
    request["ClientRequestToken"] = str(uuid.uuid5(_TOKENS, content))
    return Call(_SERVICE, "StartChangeSet", MARKETPLACE_REGION, request)


def is_over(answer: Mapping[str, Any]) -> bool:
    """Whether a described change set has ended."""
    return answer.get("Status") not in _UNDER_WAY


def wait(reader: Reader, change_set_id: str, report: Callable[[str], None]) -> Mapping[str, Any]:
    """A change set when it has ended, which takes minutes, and hours at times.

    Args:
        reader: AWS.
        change_set_id: Its id.
        report: Takes a line whenever it stands otherwise, and every few minutes.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: It is under way after a day.
    """
    call, telling = describing(change_set_id), Telling(report)

    def seen() -> Mapping[str, Any]:
        answer: Mapping[str, Any] = reader.ask(call)
        telling.tell(f"change set {change_set_id}: {answer.get('Status')}")
        return answer

    return poll(seen, is_over, f"the change set `{change_set_id}`", limit_s=_LONGEST_S)


def require_success(answer: Mapping[str, Any]) -> None:
    """Whether a change set that has ended did what it was to do.

    Raises:
        PlanError: It did not: what AWS says of each change, why, and what mends it.
    """
    status = answer.get("Status")
    if status == "SUCCEEDED":
        return
    faults = list(_faults(answer))
    hints = [remedy for _, remedy in faults if remedy]
    intent = str(answer.get("Intent") or "APPLY")
    did_not = "would not make" if intent == "VALIDATE" else "did not make"
    said = answer.get("FailureDescription") or answer.get("FailureCode") or status
    raise PlanError(
        f"AWS Marketplace {did_not} the changes",
        got="; ".join(sentence for sentence, _ in faults) or said,
        where=f"change set {answer.get('ChangeSetId')}",
        hint=hints[0] if hints else _unknown(intent),
    )


def _unknown(intent: str) -> str:
    """What to do where nobody knows the cause."""
    again = "run it again: it sends the changes anew"
    return f"{again}; {WITHOUT_VALIDATE} where AWS does not validate such changes" if intent == "VALIDATE" else again


def _faults(answer: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What is wrong with each change, and what mends it."""
    for change in answer.get("ChangeSet") or ():
        for error in change.get("ErrorDetailList") or ():
            refusal = explain(str(error.get("ErrorCode")), str(error.get("ErrorMessage", "")))
            said = f"{change.get('ChangeType')}: {refusal.code}: {refusal.sentence}"
            yield f"{said} ({refusal.cause})" if refusal.cause else said, refusal.remedy


def made(answer: Mapping[str, Any]) -> dict[str, str]:
    """What is to be remembered of a change set that was applied.

    Returns:
        `product` and `offer`: ids without revisions, of those that it made or changed. `logo_url` and `eula`: addresses
        of what AWS Marketplace has copied, which a product does not show.
    """
    found = {}
    for change in answer.get("ChangeSet") or ():
        entity = change.get("Entity") or {}
        kind = {"MachineLearningProduct": "product", "Offer": "offer"}.get(str(entity.get("Type")).partition("@")[0])
        identifier = str(entity.get("Identifier") or "").partition("@")[0]
        if kind is not None and identifier and not identifier.startswith("$"):
            found[kind] = identifier
        details = entity_details(change)
        if logo := details.get("LogoUrl"):
            found["logo_url"] = str(logo)
        for term in details.get("Terms") or ():
            for document in term.get("Documents") or ():
                if url := document.get("Url"):
                    found["eula"] = str(url)
    return found
