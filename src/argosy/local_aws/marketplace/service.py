"""AWS Marketplace behind the door of the local AWS: its three APIs, and who is subscribed to what.

A request is judged by botocore's model of its service first, then by the operation. Time passes between requests: each
one finds the change sets where they are by then.
"""

import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

from argosy.aws import service_model
from argosy.aws.call import MARKETPLACE_REGION
from argosy.aws.service_model import Operation
from argosy.local_aws.catalog.change_sets import ChangeSets
from argosy.local_aws.catalog.entities import Entities
from argosy.local_aws.marketplace import market, wire
from argosy.local_aws.marketplace.agreements import Agreements
from argosy.local_aws.marketplace.discovery import Discovery
from argosy.local_aws.marketplace.refusal import Refusal, invalid, not_simulated
from argosy.local_aws.marketplace.state import Json
from argosy.local_aws.marketplace.surroundings import Surroundings
from argosy.local_aws.marketplace.wire import AGREEMENT, CATALOG, DISCOVERY, Asked
from argosy.local_aws.messages import headers_of, read_body, respond
from argosy.local_aws.service import Caller
from argosy.simulator.runtime.asgi import Message, Receive, Send

REQUEST_BYTES: Final = 4 * 2**20
"""Largest request that is read."""

_DOCUMENT: Final = "DetailsDocument"
_PATTERN: Final = "Member must satisfy regular expression pattern"
_UNENFORCED: Final = (".entity.type'", ".entity.identifier'", ".changeName'")
"""Members whose patterns in botocore's model AWS's own documents break: `MachineLearningProduct@1.0`, references to
other changes, names of more than one letter. `catalog/requests.py` holds them to what is documented."""

WITHOUT_EFFECT: Final[Mapping[str, tuple[str, ...]]] = {
    "StartChangeSet": ("ChangeSetTags", "EntityTags"),
    "CreateAgreementRequest": ("taxConfiguration", "acceptorContact"),
    "AcceptAgreementRequest": ("purchaseOrders",),
    "GetOffer": ("locale",),
    "GetOfferTerms": ("locale",),
    "GetProduct": ("locale",),
    "GetListing": ("locale",),
    "ListFulfillmentOptions": ("locale",),
    "ListPurchaseOptions": ("locale",),
}
"""Members that are taken and do nothing here; whoever uses one is told."""

Run = Callable[[str, Json, float], Json]
"""One operation: account, request, time -> the answer's members."""


class Marketplace:
    """AWS Marketplace: one `Service` of the local AWS, for everything that is signed for `aws-marketplace`.

    Args:
        surroundings: What it works with.

    Raises:
        UsageError: botocore is not installed.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._change_sets = ChangeSets(surroundings)
        self._models = {name: service_model.load(name) for name in (CATALOG, DISCOVERY, AGREEMENT)}
        self._operations = {
            CATALOG: _of_catalog(self._change_sets, Entities(surroundings)),
            DISCOVERY: _of_discovery(Discovery(surroundings)),
            AGREEMENT: _of_agreement(Agreements(surroundings)),
        }

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        body = await read_body(receive, REQUEST_BYTES)
        asked = wire.asked(scope, headers_of(scope))
        status, headers, content = self._answered(caller, asked, body)
        await respond(send, status, headers, content)

    def is_subscribed(self, account: str, arn: str) -> bool:
        """Whether an account may make models of a published package, by the ARN of its copy."""
        now = self._around.clock()
        self._change_sets.settle(now)
        return market.is_subscribed(account, arn, self._around.store.state, now)

    def _answered(self, caller: Caller, asked: Asked, body: bytes | None) -> tuple[int, list[tuple[str, str]], bytes]:
        try:
            if caller.region != MARKETPLACE_REGION:
                where = f"no endpoint in {caller.region} is known, and there is one in {MARKETPLACE_REGION}"
                raise not_simulated(f"AWS Marketplace: {where}")
            return wire.answered(asked, self._run(caller.account, asked, body))
        except Refusal as refusal:
            self._around.report(f"{asked.operation}: {refusal.code}: {refusal.message}"[:600])
            return wire.refused(asked, refusal)
        except Exception as error:
            self._around.report("".join(traceback.format_exception(error)).rstrip())
            message = f"{asked.operation}: {type(error).__name__} in the local AWS; see its log"
            code = "InternalServiceException" if asked.service == CATALOG else "InternalServerException"
            return wire.refused(asked, Refusal(code, message))

    def _run(self, account: str, asked: Asked, body: bytes | None) -> Mapping[str, Any]:
        model = self._models[asked.service]
        operation = model.operation(asked.operation)
        if operation is None:
            message = f"The operation {asked.operation} is not known to {model.source}."
            raise Refusal("UnknownOperationException", message)
        run = self._operations[asked.service].get(operation.name)
        if run is None:
            known = ", ".join(sorted(self._operations[asked.service]))
            raise not_simulated(f"{operation.name} is not simulated; these are: {known}")
        request = _request(operation, asked, body)
        for name in WITHOUT_EFFECT.get(operation.name, ()):
            if name in request or any(name in change for change in request.get("ChangeSet", ())):
                self._around.report(f"{operation.name}: {name} has no effect here")
        now = self._around.clock()
        self._change_sets.settle(now)
        return operation.answer(run(account, request, now))


def _request(operation: Operation, asked: Asked, body: bytes | None) -> dict[str, Any]:
    """The members of a request, held to the model of the service.

    Raises:
        Refusal: They are not what it says.
    """
    if body is None:
        raise Refusal("RequestEntityTooLargeException", f"The request has more than {REQUEST_BYTES} bytes.")
    try:
        request = _without_nulls(asked.form.read(body)) if body else {}
    except (ValueError, RecursionError):
        raise Refusal("SerializationException", "The request body cannot be read.") from None
    mistyped = operation.mistyped(request)
    if mistyped is not None or not isinstance(request, dict):
        raise Refusal("SerializationException", mistyped or "The request body is no structure.")
    request = {**request, **asked.query}
    unknown = operation.unknown_members(request)
    if unknown:
        raise invalid(f"{operation.name} has no {', '.join(unknown)}.")
    violations = [each for each in operation.violations(request) if not _is_unenforced(each)]
    if violations:
        noun = "error" if len(violations) == 1 else "errors"
        raise invalid(f"{len(violations)} validation {noun} detected: {'; '.join(violations)}")
    return request


def _without_nulls(value: Any) -> Any:
    """A request without its nulls, which count as absent; those of documents stay. Any: whatever a client sent."""
    if isinstance(value, dict):
        return {
            name: member if name == _DOCUMENT else _without_nulls(member)
            for name, member in value.items()
            if member is not None
        }
    return [_without_nulls(member) for member in value if member is not None] if isinstance(value, list) else value


def _is_unenforced(violation: str) -> bool:
    place, _, constraint = violation.partition(" failed to satisfy constraint: ")
    return constraint.startswith(_PATTERN) and place.endswith(_UNENFORCED)


def _of_catalog(change_sets: ChangeSets, entities: Entities) -> Mapping[str, Run]:
    return {
        "StartChangeSet": change_sets.start,
        "DescribeChangeSet": change_sets.describe,
        "ListChangeSets": change_sets.list,
        "CancelChangeSet": change_sets.cancel,
        "DescribeEntity": entities.describe,
        "BatchDescribeEntities": entities.describe_many,
        "ListEntities": entities.list,
    }


def _of_discovery(discovery: Discovery) -> Mapping[str, Run]:
    return {
        "ListPurchaseOptions": discovery.list_purchase_options,
        "GetOffer": discovery.get_offer,
        "GetOfferTerms": discovery.get_offer_terms,
        "GetProduct": discovery.get_product,
        "GetListing": discovery.get_listing,
        "ListFulfillmentOptions": discovery.list_fulfillment_options,
    }


def _of_agreement(agreements: Agreements) -> Mapping[str, Run]:
    return {
        "CreateAgreementRequest": agreements.create_request,
        "AcceptAgreementRequest": agreements.accept_request,
        "GetAgreementRequest": agreements.describe_request,
        "DescribeAgreement": agreements.describe,
        "GetAgreementTerms": agreements.terms,
        "GetAgreementEntitlements": agreements.entitlements,
        "CancelAgreement": agreements.cancel,
        "SearchAgreements": agreements.search,
    }
