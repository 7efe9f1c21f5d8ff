"""The endpoint of a deployment: created, updated, made anew where it failed, and waited for."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from argosy.aws import logs
from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.aws.refusals import explain
from argosy.deployment import quotas
from argosy.deployment.endpoint_config import KEY as CONFIG_KEY
from argosy.deployment.making import make_on_instances
from argosy.deployment.ownership import insist, tags, tags_call
from argosy.deployment.package import supported
from argosy.deployment.purchase.prices import cost
from argosy.deployment.purchase.terms import REALTIME
from argosy.deployment.settling import DELETING, MOVING, describe_call, described, settled
from argosy.errors import PlanError
from argosy.planning.step import Change, Consent, Kind, Later, Outputs, Risk, Work, output, resolved

KEY: Final = "endpoint"
ARN: Final = "EndpointArn"
_BROKEN: Final = frozenset({"Failed", "OutOfService", "UpdateRollbackFailed"})


@dataclass(frozen=True, slots=True)
class EndpointStep:
    """The endpoint, in service with the config of this deployment.

    Attributes:
        deployment: Its name, and the deployment's.
        region: Where.
        count: How many instances it has, for the price.
    """

    deployment: str
    region: str
    count: int
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """What has to be called for it to serve what is wanted.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: Somebody else's has its name.
        """
        found = described(reader, self.region, self.deployment)
        if found:
            insist(reader, self.region, self.deployment, found, ARN)
        config = output(known, CONFIG_KEY, "name")
        kind, writes = self._due(found, config)
        is_paid = kind in (Kind.CREATE, Kind.UPDATE)
        before = {"EndpointConfigName": found.get("EndpointConfigName")} if found and kind is Kind.UPDATE else {}
        return Change(
            KEY,
            f"endpoint {self.deployment} in {self.region}",
            kind,
            writes=writes,
            reads=self._reads(),
            possible=(self._update(config), self._delete()),
            before=before,
            consent=self._consent(known) if is_paid else None,
            outputs={"name": self.deployment},
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Call it, and wait until it is in service with its config.

        Raises:
            AwsError: AWS refuses, as where a quota is used up, or does not answer.
            PlanError: It failed, or was rolled back.
        """
        began_s = time.time()
        config = str(resolved(output(work.known, CONFIG_KEY, "name"), work.known))
        found = settled(work.api, self.region, self.deployment, work.report)
        _, writes = self._due(found, config)
        for call in () if change.kind is Kind.WAIT else writes:
            self._write(call, work)
            if call.operation == "DeleteEndpoint":
                settled(work.api, self.region, self.deployment, work.report)
        found = settled(work.api, self.region, self.deployment, work.report)
        if not found or found["EndpointStatus"] != "InService" or found.get("EndpointConfigName") != config:
            self._fail(found or {}, began_s, work)
        return change.outputs

    def _due(self, found: Any, config: str | Later) -> tuple[Kind, tuple[Call, ...]]:
        """What an endpoint that is so needs. Any: JSON of the API."""
        status = found["EndpointStatus"] if found else None
        if status is None or status == DELETING:
            return Kind.CREATE, (self._create(config),)
        if status in _BROKEN:  # nothing but deleting is possible then
            return Kind.UPDATE, (self._delete(), self._create(config))
        pending = found.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
        if (pending or found.get("EndpointConfigName")) != config:
            return Kind.UPDATE, (self._update(config),)  # once nothing moves
        return (Kind.WAIT, ()) if status in MOVING else (Kind.NOTHING, ())

    def _create(self, config: str | Later) -> Call:
        request = {**self._served(config), "Tags": tags(self.deployment)}
        return Call("sagemaker", "CreateEndpoint", self.region, request)

    def _update(self, config: str | Later) -> Call:
        return Call("sagemaker", "UpdateEndpoint", self.region, self._served(config))

    def _served(self, config: str | Later) -> dict[str, str]:
        """What either request says; a config that is not known yet is any of this deployment, as IAM then allows."""
        shown = f"{self.deployment}-*" if isinstance(config, Later) else config
        return {"EndpointName": self.deployment, "EndpointConfigName": shown}

    def _delete(self) -> Call:
        return Call("sagemaker", "DeleteEndpoint", self.region, {"EndpointName": self.deployment})

    def _reads(self) -> tuple[Call, ...]:
        pattern = f"arn:aws:sagemaker:{self.region}:*:endpoint/{self.deployment.lower()}"
        return (
            describe_call(self.region, self.deployment),
            tags_call(self.region, pattern),
            self._log(),
            quotas.quotas_call(self.region),
        )

    def _log(self, since_s: float = 0.0) -> Call:
        group = logs.ENDPOINTS.format(name=self.deployment)
        return logs.log_call(self.region, group, since_ms=int(since_s * 1000))

    def _consent(self, known: Outputs) -> Consent:
        paid = cost(known, REALTIME, output(known, CONFIG_KEY, "instance type"), self.count)
        until = f"billed from Creating on until `argosy destroy {self.deployment}`"
        return Consent(Risk.COST, f"endpoint {self.deployment} in {self.region}, {paid}, {until}")

    def _write(self, call: Call, work: Work) -> None:
        make_on_instances(work.api, call, lambda: self._advice(work))

    def _advice(self, work: Work) -> str:
        return quotas.advice(work.api, self.region, quotas.ENDPOINT, supported(work.known, REALTIME))

    def _fail(self, found: Any, began_s: float, work: Work) -> NoReturn:
        """Tell why it is not in service: AWS's reason, what that means, the container's last lines. Any: JSON."""
        is_new = found.get("EndpointStatus") == "Failed"  # else its log may be of months
        since_s = found["CreationTime"].timestamp() if is_new else began_s
        reason = str(found.get("FailureReason") or "AWS gives no reason")
        for line in logs.last_lines(work.api, self._log(since_s)):
            work.report(f"log: {line}")
        refusal = explain("EndpointFailed", reason)
        cause = f" ({refusal.cause})" if refusal.cause else ""
        hint = self._advice(work) if quotas.is_shortage(reason) else refusal.remedy
        status = found.get("EndpointStatus", "gone")
        what = (
            "the endpoint was not updated: it serves as before"
            if status == "InService"
            else f"the endpoint is {status}"
        )
        costs = f"argosy destroy {self.deployment} removes it" if status != "InService" else None
        raise PlanError(
            what,
            got=f"{refusal.sentence}{cause}",
            where=f"endpoint {self.deployment}",
            hint="; ".join(one for one in (hint, costs) if one) or None,
        )
