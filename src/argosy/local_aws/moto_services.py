"""moto in this process: STS, IAM, S3, CloudWatch Logs, ECR's repositories and whatever else it knows.

Nothing of moto is patched: what it does wrongly is answered before a request reaches it (`images/`), so no other user
of moto in this process sees a difference. Its state is the process's, though: there is one local AWS a process, and
`mock_aws` of moto's own empties it.
"""

import io
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from moto.core.base_backend import BackendDict
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from moto.ecr.models import ecr_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends

from argosy.errors import UsageError
from argosy.local_aws.accounts import ACCOUNTS, DEFAULT_REGION, MARKETPLACE, ROLES, Account, Role
from argosy.local_aws.images.store import Repository, RepositoryName
from argosy.local_aws.kept_calls import KeptCalls
from argosy.local_aws.messages import respond_json
from argosy.local_aws.service import Caller
from argosy.local_aws.wsgi import Environ, WsgiApplication, call, environ_of
from argosy.simulator.runtime.asgi import Message, Receive, Send

_ACCOUNT_HEADER: Final = b"x-moto-account-id"
_JSON: Final = "application/x-amz-json-1.1"
_PARTITION: Final = "aws"
_one_a_process = threading.Lock()


class MotoServices:
    """moto's services for the accounts that are there.

    Args:
        folder: Keeps what was asked for, so that it is there again the next time; None keeps nothing.

    Raises:
        UsageError: This process has a local AWS already, or another process uses the folder.
    """

    def __init__(self, folder: Path | None) -> None:
        if not _one_a_process.acquire(blocking=False):
            raise UsageError(
                "this process has a local AWS already, and moto keeps one state for a process",
                hint="give the fixture `local_aws` to every test that needs it: it is one for the whole run",
            )
        self._kept: KeptCalls | None = None
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._application = WsgiApplication(self._moto, _preserved_names, self._keep)
        try:
            self._forget()
            for account in ACCOUNTS:
                _add_user(account)
            for role in ROLES:
                _add_role(role)
            if folder is not None:
                self._kept = KeptCalls(folder)
                self._kept.repeat(self._moto)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Empty moto's state of these accounts."""
        self._application.close()
        if self._kept is not None:
            self._kept.close()
        self._forget()
        _one_a_process.release()

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI) in the caller's account."""
        kept = [pair for pair in scope["headers"] if pair[0].lower() != _ACCOUNT_HEADER]
        headers = [*kept, (_ACCOUNT_HEADER, caller.account.encode())]
        try:
            await self._application({**scope, "headers": headers}, receive, send)
        except NotImplementedError as error:  # clients repeat what fails with 500
            await respond_json(send, 501, {"__type": "NotSimulated", "message": f"moto: {error}"}, _JSON)

    @staticmethod
    def account_of(access_key: str) -> str | None:
        """The account of an access key, those of assumed roles and of other users included; None for an unknown one."""
        for account in ACCOUNTS:
            if access_key in iam_backends[account.number][_PARTITION].access_keys:
                return account.number
        return None

    @staticmethod
    def knows_region(region: str) -> bool:
        """Whether AWS has a region."""
        return region in ecr_backends[MARKETPLACE.number]

    @staticmethod
    def repository(name: RepositoryName) -> Repository | None:
        """A repository of ECR, None where there is none."""
        try:
            found: Any = ecr_backends[name.account][name.region].repositories.get(name.name)
        except KeyError:  # no such region
            return None
        if found is None:
            return None
        exempt = tuple(each["filter"] for each in found.image_tag_mutability_exclusion_filters or ())
        return Repository(
            name,
            is_immutable=str(getattr(found.image_tag_mutability, "value", found.image_tag_mutability)).startswith("I"),
            exempt=exempt,
            scans_on_push=bool(found.image_scanning_configuration.get("scanOnPush", False)),
        )

    @staticmethod
    def trust_policy(role_arn: str) -> str | None:
        """The trust policy of a role as JSON, None where there is no such role."""
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        if account not in {each.number for each in ACCOUNTS}:
            return None
        try:
            role: Any = iam_backends[account][_PARTITION].get_role_by_arn(role_arn)
        except NotFoundException:
            return None
        return str(role.assume_role_policy_document)

    def trusted_services(self, role_arn: str) -> frozenset[str]:
        """The services that may assume a role; none where there is no such role."""
        policy = self.trust_policy(role_arn)
        return frozenset() if policy is None else _trusted(policy)

    def copy_object(self, source: tuple[str, str], bucket: str, key: str) -> None:
        """Have an object of any account, given as bucket and key, in a bucket of AWS Marketplace's own, too.

        Raises:
            KeyError: There is no such object.
        """
        if bucket not in s3_backends.bucket_accounts:
            self._ask_s3("PUT", f"/{bucket}", {})
        headers = {"HTTP_X_AMZ_COPY_SOURCE": quote(f"/{source[0]}/{source[1]}")}
        if self._ask_s3("PUT", f"/{bucket}/{quote(key)}", headers) != HTTPStatus.OK:
            raise KeyError(f"s3://{source[0]}/{source[1]}")

    @staticmethod
    def private_bucket_owner(name: str) -> str | None:
        """The account of a bucket that has no policy; None for any other name."""
        where = s3_backends.bucket_accounts.get(name)
        bucket: Any = None if where is None else s3_backends[where[1]][where[0]].buckets.get(name)
        return None if where is None or bucket is None or bucket.policy else str(where[1])

    @staticmethod
    def put_log_events(account: str, region: str, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        """Append events (`timestamp` in milliseconds, `message`) to a log stream, which is made where it is missing."""
        backend: Any = logs_backends[account][region]
        if group not in backend.groups:
            backend.create_log_group(group, {})
        if stream not in backend.groups[group].streams:
            backend.create_log_stream(group, stream)
        backend.put_log_events(group, stream, events)

    def _ask_s3(self, method: str, path: str, headers: Mapping[str, str]) -> int:
        """Ask S3 as AWS Marketplace; returns the status. It is kept as what others ask is."""
        signed = f"AWS4-HMAC-SHA256 Credential={MARKETPLACE.access_key}/20260101/{DEFAULT_REGION}/s3/aws4_request"
        own = {"HTTP_AUTHORIZATION": signed, "HTTP_X_MOTO_ACCOUNT_ID": MARKETPLACE.number}
        environ = {**environ_of(method, path), **own, **headers}
        status, answer = call(self._moto, environ, io.BytesIO())
        self._keep(environ, io.BytesIO(), status, answer)
        return status

    def _keep(self, environ: Environ, body: IO[bytes], status: int, answer: bytes) -> None:
        if self._kept is not None:
            self._kept.keep(environ, body, status, answer)

    def _forget(self) -> None:
        numbers = {account.number for account in ACCOUNTS}
        for service in list(BackendDict._instances):  # type: ignore[misc]  # moto's own class attribute is generic
            for number in numbers & set(service):
                with suppress(KeyError):
                    service[number].reset()
                    del service[number]


def _add_user(account: Account) -> None:
    """A user with the access key that the account is known by."""
    backend: Any = iam_backends[account.number][_PARTITION]
    user = backend.create_user(DEFAULT_REGION, account.name)
    key = user.create_access_key(prefix="AKIA")
    key.access_key_id, key.secret_access_key = account.access_key, account.secret_key
    backend.access_keys[account.access_key] = key


def _add_role(role: Role) -> None:
    backend: Any = iam_backends[role.account.number][_PARTITION]
    statement = {"Effect": "Allow", "Principal": {"Service": role.service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    backend.create_role(role.name, trust, "/", None, "", [], "3600")


def _trusted(policy: str) -> frozenset[str]:
    """The services that a trust policy allows to assume its role."""
    try:
        found: Any = json.loads(policy)
    except ValueError:
        return frozenset()
    statements = found.get("Statement", ()) if isinstance(found, dict) else ()
    services: set[str] = set()
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal")
        if statement.get("Effect") == "Allow" and isinstance(principal, dict):
            named = principal.get("Service", ())
            services |= {named} if isinstance(named, str) else set(named)
    return frozenset(services)


def _preserved_names(scope: Message) -> Mapping[str, Any]:
    """Names of S3's metadata with underscores, which WSGI would turn into dashes."""
    names = [name.decode("latin-1") for name, _ in scope["headers"]]
    return {
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: {
            environ_key_for_header(name): name for name in names if should_preserve_original_header_name(name)
        }
    }
