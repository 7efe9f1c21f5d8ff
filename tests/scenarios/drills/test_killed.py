"""A client that is killed after any single write of a verb, before it hears of it; and the run after that.

Which writes a verb makes is found by an undisturbed run. A drill is a project of its own: its verb is killed, by
SIGKILL, while the local AWS holds back the answer to one write; the same verb again has to finish, and to leave what
the undisturbed run has left: nothing twice, nothing orphaned.
"""

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from argosy.local_aws.accounts import EXECUTION_ROLE
from argosy.registry.layout import write_layout
from argosy.testing.local_aws import BUYER, SELLER, Account, LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import open_stand_in, small_image
from tests.scenarios.drills.account import World, world
from tests.scenarios.drills.forking import Ended, Forking, forking
from tests.scenarios.market import make_project

REGION = "us-east-1"
KILLED = -9
OTHERS = ("eu-west-1", "eu-west-2")
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
        made: By how far a project is: those that are so, ready for another verb.
    """

    aws: LocalAwsServer
    client: Forking
    folder: Path
    made: dict[str, list[str]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100))

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
        count, counting = itertools.count(1), threading.Lock()

        def kill(_service: str, _operation: str) -> None:
            with counting:
                if next(count) == number:
                    self.client.kill()

        with self.aws.after_write(kill):
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
        name = f"words{next(self._numbers)}"
        root = make_project(self.folder / name, name=name)
        write_layout(small_image(name), root / "build/image", "latest")
        return name

    def product(self, name: str) -> tuple[str, str]:
        """The id of a published project's product, and the ARN of its package."""
        said = self.run("publish", name, "--json").said
        given = json.loads(said[said.index("{") : said.rindex("}") + 1])
        copies = httpx.get(f"{self.aws.url}/_argosy/published-packages").json()
        return given["product"]["product"], copies[given["package"]["arn"]][REGION]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("drills")
    with forking(folder) as client, serving(open_image=open_stand_in) as aws:
        yield Stand(aws, client, folder)


@pytest.fixture(scope="module")
def bought(stand: Stand) -> tuple[str, str]:
    """A product that the buyer is subscribed to, and the ARN of its package."""
    product, arn = stand.product(stand.project("published"))
    stand.run("subscribe", product, "--yes", account=BUYER)
    return product, arn


def seen(stand: Stand, name: str, regions: Sequence[str] = (REGION,)) -> World:
    return world(stand.aws, name, tuple(regions))


Arguments = Callable[[str], Sequence[object]]


@dataclass(frozen=True)
class Drill:
    """One verb, to be killed after each of its writes.

    Attributes:
        arguments: Of the verb, for a name.
        prepare: Makes what the verb works on; its name.
        account: Who runs it.
        regions: Where it makes something.
        step: Every how many writes it is killed.
    """

    arguments: Arguments
    prepare: Callable[[], str]
    account: Account = SELLER
    regions: tuple[str, ...] = (REGION,)
    step: int = 1

    def __call__(self, stand: Stand) -> list[str]:
        """Carry it out; the names of all that it was done to."""
        name = self.prepare()
        writes = stand.writes(*self.arguments(name), account=self.account)
        expected = seen(stand, name, self.regions)
        assert writes, "it writes nothing, so there is nothing to drill"
        assert stand.writes(*self.arguments(name), account=self.account) == [], "a second run writes"
        assert seen(stand, name, self.regions) == expected
        names = [name]
        for number in range(1, len(writes) + 1, self.step):
            name = self.prepare()
            ended = stand.killed(number, *self.arguments(name), account=self.account)
            assert ended.code == KILLED, f"after {writes[number - 1]}: {ended}"
            stand.run(*self.arguments(name), account=self.account)
            found = seen(stand, name, self.regions)
            assert found == expected, f"killed after write {number}, {writes[number - 1]}"
            names.append(name)
        return names


def test_push(stand: Stand) -> None:
    for name in Drill(lambda name: ("push", name), stand.project)(stand):
        stand.keep("pushed", name)


def test_register(stand: Stand) -> None:
    for name in Drill(lambda name: ("register", name, "--yes"), lambda: stand.project("pushed"))(stand):
        stand.keep("registered", name)


def test_publish(stand: Stand) -> None:
    for name in Drill(lambda name: ("publish", name, "--yes"), lambda: stand.project("registered"))(stand):
        stand.keep("published", name)


def test_release_in_two_regions_at_a_time(stand: Stand) -> None:
    Drill(lambda name: ("release", "--project", name, *OTHERS, "--yes"), stand.project, regions=OTHERS, step=6)(stand)


def test_subscribe(stand: Stand) -> None:
    products: dict[str, str] = {}

    def prepare() -> str:
        name = stand.project("published")
        products[name] = stand.product(name)[0]
        return name

    Drill(lambda name: ("subscribe", products[name], "--yes"), prepare, BUYER)(stand)


def _deploy(name: str, bought: tuple[str, str]) -> Sequence[object]:
    product, arn = bought
    return ("deploy", arn, "--role", EXECUTION_ROLE.arn, "--name", name, "--product", product, "--yes")


def _deployments(stand: Stand, bought: tuple[str, str] | None = None) -> Callable[[], str]:
    """Names of deployments; with a product those that are there."""

    def prepare() -> str:
        name = f"loud{next(stand._numbers)}"
        if bought is not None:
            stand.run(*_deploy(name, bought), account=BUYER)
        return name

    return prepare


def test_deploy(stand: Stand, bought: tuple[str, str]) -> None:
    Drill(lambda name: _deploy(name, bought), _deployments(stand), BUYER)(stand)


def test_destroy(stand: Stand, bought: tuple[str, str]) -> None:
    Drill(lambda name: ("destroy", name, "--yes"), _deployments(stand, bought), BUYER)(stand)


def test_transform(stand: Stand, bought: tuple[str, str]) -> None:
    deployed = _deployments(stand, bought)
    (stand.folder / "in").mkdir()
    for file in ("a.txt", "b.txt"):
        (stand.folder / "in" / file).write_text(file)

    def prepare() -> str:
        name = deployed()
        stand.aws.client("s3", BUYER).create_bucket(Bucket=f"staging-{name}")
        return name

    def job(name: str) -> Sequence[object]:
        return ("transform", name, "in", f"out-{name}", "--staging", f"s3://staging-{name}/x", "--yes")

    for name in Drill(job, prepare, BUYER)(stand):
        results = {path.name: path.read_text() for path in (stand.folder / f"out-{name}").iterdir()}
        assert results == {"a.txt.out": "a.txt", "b.txt.out": "b.txt"}
