"""Calls that make something of what was made a moment ago, which SageMaker may not see everywhere yet.

Source: API reference of SageMaker, CreateEndpoint and CreateEndpointConfig: what a request names is read eventually
consistently, and a validation error is to be tried again (read 2026-11-23).
"""

import re
from collections.abc import Callable
from typing import Final

from argosy.aws.api import Api
from argosy.aws.call import Call
from argosy.deployment.quotas import is_shortage
from argosy.errors import AwsError, PlanError
from argosy.planning.polling import poll

_REFUSED: Final = "ValidationException"
_NOT_SEEN: Final = re.compile(r"Could not find (model|endpoint configuration)\b", re.IGNORECASE)
_MADE: Final = re.compile(r"already exist", re.IGNORECASE)
_LIMIT_S: Final = 30.0


def make(api: Api, call: Call) -> None:
    """Send a call that makes a resource; again where SageMaker does not see yet what it is made of.

    One that is there already was made by this call: boto3 sends it again where an answer was lost. Nobody else makes
    one of this content, whose digest is in its name or in that of its config.

    Args:
        api: AWS.
        call: The call.

    Raises:
        AwsError: AWS refuses, or does not see it after half a minute, or does not answer.
    """
    refusals: list[AwsError] = []

    def is_made() -> bool:
        try:
            api.write(call)
        except AwsError as error:
            if error.refusal == _REFUSED and _MADE.search(error.sentence):
                return True
            if error.refusal != _REFUSED or not _NOT_SEEN.search(error.sentence):
                raise
            refusals.append(error)
            return False
        return True

    try:
        poll(is_made, bool, call.action, _LIMIT_S)
    except PlanError:
        if not refusals:
            raise
        raise refusals[-1] from None


def make_on_instances(api: Api, call: Call, advise: Callable[[], str]) -> None:
    """As `make`, for what takes instances: where there are none, the error says which ones would go.

    Args:
        api: AWS.
        call: The call.
        advise: Makes the hint; asked only then, since it looks at quotas.

    Raises:
        AwsError: As for `make`.
    """
    try:
        make(api, call)
    except AwsError as error:
        if not is_shortage(f"{error.refusal} {error.sentence}"):
            raise
        raise AwsError(
            error.action, error.refusal, sentence=error.sentence, cause=error.cause, hint=advise()
        ) from error
