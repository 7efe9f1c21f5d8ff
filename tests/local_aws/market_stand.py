"""AWS Marketplace behind HTTP: real clients, packages and roles that a test makes, a clock that it moves."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from argosy.local_aws.marketplace.options import MarketplaceOptions
from argosy.local_aws.marketplace.service import Marketplace
from argosy.local_aws.marketplace.store import Store
from argosy.local_aws.marketplace.surroundings import Surroundings
from argosy.local_aws.messages import headers_of
from argosy.local_aws.service import Caller, PackageView
from argosy.local_aws.signature import scope_of
from argosy.simulator.runtime.asgi import Message, Receive, Send
from argosy.simulator.runtime.service import bind, serve
from tests.beside import beside
from tests.local_aws.listings import BUYER, REGION, ROLE, SELLER, creation, package

START = 1_795_420_800.0
"""2026-11-23T08:00:00Z."""

REALTIME = ("ml.m5.large", "ml.c5.xlarge")
BATCH = ("ml.m5.large", "ml.m5.xlarge")
OPTIONS = MarketplaceOptions(regions=("us-east-1", "eu-west-1"))


def trust(*services: str) -> str:
    """A trust policy."""
    principal = {"Service": list(services)}
    return json.dumps({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})


@dataclass
class Shelf:
    """Model packages as the local AWS shows them to a Marketplace."""

    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    copied: list[str] = field(default_factory=list)
    is_broken: bool = False

    def put(self, arn: str, realtime: Sequence[str] = REALTIME, batch: Sequence[str] = BATCH, **members: Any) -> None:
        inference = {
            "SupportedRealtimeInferenceInstanceTypes": list(realtime),
            "SupportedTransformInstanceTypes": list(batch),
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        }
        is_right = {"ModelPackageStatus": "Completed", "CertifyForMarketplace": True}
        self.described[arn] = {**is_right, "InferenceSpecification": inference, **members}

    def package(self, arn: str) -> PackageView | None:
        if arn not in self.described:
            return None
        region, account = arn.split(":")[3:5]
        return PackageView(arn, account, region, self.described[arn])

    def copy_to_marketplace(self, package_arn: str, region: str) -> str:
        if self.is_broken:
            raise OSError("no space left")
        copy = f"arn:aws:sagemaker:{region}:865070037744:model-package/{package_arn.rpartition('/')[2]}-copy"
        self.copied.append(copy)
        return copy


class Market:
    """An AWS Marketplace and the hands on it."""

    def __init__(self, url: str, options: MarketplaceOptions = OPTIONS, folder: Path | None = None) -> None:
        self.url = url
        self.now = START
        self.shelf = Shelf()
        self.shelf.put(package())
        self.roles: dict[str, str] = {ROLE: trust("assets.marketplace.amazonaws.com")}
        self.reports: list[str] = []
        self.options = options
        self.service = self.opened(folder)

    def opened(self, folder: Path | None = None, clock: Callable[[], float] | None = None) -> Marketplace:
        """A service with the state of a folder."""
        return Marketplace(
            Surroundings(
                self.shelf,
                self.roles.get,
                Store(folder),
                self.options,
                clock=clock or (lambda: self.now),
                report=self.reports.append,
            )
        )

    def catalog(self, account: str = SELLER) -> Any:
        return client("marketplace-catalog", self.url, account)

    def discovery(self, account: str = BUYER) -> Any:
        return client("marketplace-discovery", self.url, account)

    def agreement(self, account: str = BUYER) -> Any:
        return client("marketplace-agreement", self.url, account)

    def start(self, changes: Sequence[Mapping[str, Any]], account: str = SELLER, **more: Any) -> str:
        """Start a change set; its id."""
        started = self.catalog(account).start_change_set(Catalog="AWSMarketplace", ChangeSet=changes, **more)
        return str(started["ChangeSetId"])

    def described(self, change_set: str, account: str = SELLER) -> Any:
        return self.catalog(account).describe_change_set(Catalog="AWSMarketplace", ChangeSetId=change_set)

    def ended(self, changes: Sequence[Mapping[str, Any]], account: str = SELLER, **more: Any) -> Any:
        """Start a change set and describe it when it has ended."""
        change_set = self.start(changes, account, **more)
        self.now += 1
        return self.described(change_set, account)

    def made(self, changes: Sequence[Mapping[str, Any]]) -> list[str]:
        """Make changes that have no fault; the entities."""
        described = self.ended(changes)
        assert described["Status"] == "SUCCEEDED", described
        return [each["Entity"]["Identifier"].partition("@")[0] for each in described["ChangeSet"]]

    def faults(self, changes: Sequence[Mapping[str, Any]]) -> list[str]:
        """The codes with which changes fail."""
        described = self.ended(changes)
        assert described["Status"] == "FAILED", described
        return [fault["ErrorCode"] for each in described["ChangeSet"] for fault in each["ErrorDetailList"]]

    def entity(self, id_: str, account: str = SELLER) -> Any:
        described = self.catalog(account).describe_entity(Catalog="AWSMarketplace", EntityId=id_)
        return described["DetailsDocument"]

    def limited(self, **more: Any) -> tuple[str, str]:
        """A product and its offer in Limited."""
        ids = self.made(creation(**more))
        return ids[0], ids[-1]


@cache
def client(service: str, url: str, account: str) -> Any:
    """A client of an account; its access key is the account's number."""
    config = Config(retries={"max_attempts": 0})
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=account,
        aws_secret_access_key="not-verified",
        config=config,
    )


class Door:
    """Passes what is signed by an account to the Marketplace that is behind it now."""

    def __init__(self) -> None:
        self.market: Market | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        signed = scope_of(headers_of(scope), scope["query_string"])
        assert self.market is not None
        assert signed is not None
        await self.market.service.answer(Caller(signed.access_key, signed.region), scope, receive, send)


@contextmanager
def opened_door() -> Iterator[tuple[Door, str]]:
    """A door on a port of this machine."""
    door, listener = Door(), bind(0)

    async def answer(stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        await serve(door, listener, stopping, on_open)

    with listener, beside(answer):
        yield door, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def refused(code: str, *words: str, reason: str | None = None) -> Iterator[None]:
    """What is called inside is refused with a code, and a sentence that has some words."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    assert [word for word in words if word not in error["Message"]] == [], error
    if reason is not None:
        assert caught.value.response.get("reason") == reason


def with_options(market: Market, **changed: Any) -> None:
    """Begin anew, with other answers to open questions."""
    market.options = replace(market.options, **changed)
    market.service = market.opened()
