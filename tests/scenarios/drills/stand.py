"""A local AWS whose containers are stand-ins, and a command line whose processes can be killed."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from argosy.local_aws.accounts import EXECUTION_ROLE
from argosy.registry.layout import write_layout
from argosy.testing.local_aws import BUYER, SELLER, Account, LocalAwsServer
from tests.local_aws.stand_in import small_image
from tests.scenarios.drills.forking import Ended, Forking
from tests.scenarios.market import make_project

REGION = "us-east-1"
_BEFORE = {
    "pushed": ("built", "push"),
    "registered": ("pushed", "register"),
    "published": ("registered", "publish"),
}
"""How far a project is -> how far it was, and the verb that brought it on."""


@dataclass
class Stand:
    """The local AWS, and a command line whose processes can be killed.

    Attributes:
        aws: The local AWS.
        client: The command line.
        folder: Of all projects.
        numbers: For names that no other has.
        made: By how far a project is: those that are so, ready for another verb.
    """

    aws: LocalAwsServer
    client: Forking
    folder: Path
    made: dict[str, list[str]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def run(self, *arguments: object, account: Account = SELLER) -> Ended:
        """A verb, undisturbed; it has to end well."""
        self.client.begin(arguments, self.aws.environment(account), self.folder)
        ended = self.client.end()
        assert ended.code == 0, f"{arguments}\n{ended.said}"
        return ended

    def writes(self, *arguments: object, account: Account = SELLER) -> list[str]:
        """What a verb writes, undisturbed."""
        seen: list[str] = []
        with self.aws.after_write(lambda service, operation: seen.append(f"{service}:{operation}")):
            self.run(*arguments, account=account)
        return seen

    def killed(self, number: int, *arguments: object, account: Account = SELLER) -> Ended:
        """A verb whose process is gone after so many writes, if it makes so many."""
        return self.struck(number, self.client.kill, *arguments, account=account)

    def struck(self, number: int, strike: Callable[[], None], *arguments: object, account: Account = SELLER) -> Ended:
        """A verb during which something happens after so many writes, before it hears of the last of them."""
        count, counting = itertools.count(1), threading.Lock()

        def struck(_service: str, _operation: str) -> None:
            with counting:
                if next(count) == number:
                    strike()

        with self.aws.after_write(struck):
            self.client.begin(arguments, self.aws.environment(account), self.folder)
            return self.client.end()

    def project(self, state: str = "built") -> str:
        """The name of a project that is so far: one that a drill has left, or a new one."""
        if self.made.get(state):
            return self.made[state].pop()
        if state == "built":
            return self._built()
        before, verb = _BEFORE[state]
        name = self.project(before)
        self.run(verb, name, "--yes")
        return name

    def keep(self, state: str, name: str) -> None:
        """Leave a project to another drill."""
        self.made.setdefault(state, []).append(name)

    def _built(self) -> str:
        name = f"words{next(self.numbers)}"
        root = make_project(self.folder / name, name=name)
        write_layout(small_image(name), root / "build/image", "latest")
        return name

    def product(self, name: str) -> tuple[str, str]:
        """The id of a published project's product, and the ARN of its package."""
        said = self.run("publish", name, "--json").said
        given = json.loads(said[said.index("{") : said.rindex("}") + 1])
        copies = httpx.get(f"{self.aws.url}/_argosy/published-packages").json()
        return given["product"]["product"], copies[given["package"]["arn"]][REGION]


def deploying(name: str, bought: tuple[str, str]) -> Sequence[object]:
    product, arn = bought
    return ("deploy", arn, "--role", EXECUTION_ROLE.arn, "--name", name, "--product", product, "--yes")


def deployments(stand: Stand, bought: tuple[str, str] | None = None) -> Callable[[], str]:
    """Names of deployments; with a product those that are there."""

    def prepare() -> str:
        name = f"loud{next(stand.numbers)}"
        if bought is not None:
            stand.run(*deploying(name, bought), account=BUYER)
        return name

    return prepare
