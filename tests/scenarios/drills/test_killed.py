"""A client that is killed after any single write of a verb, before it hears of it; and the run after that.

Which writes a verb makes is found by an undisturbed run. A drill is a project of its own: its verb is killed, by
SIGKILL, while the local AWS holds back the answer to one write; the same verb again has to finish, and to leave what
the undisturbed run has left: nothing twice, nothing orphaned.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from argosy.testing.local_aws import BUYER, SELLER, Account
from tests.scenarios.drills.account import World, world
from tests.scenarios.drills.stand import REGION, Stand, deploying, deployments

KILLED = -9
OTHERS = ("eu-west-1", "eu-west-2")


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
        only: A pattern of the writes after which it is killed.
    """

    arguments: Arguments
    prepare: Callable[[], str]
    account: Account = SELLER
    regions: tuple[str, ...] = (REGION,)
    only: str = ""

    def __call__(self, stand: Stand) -> list[str]:
        """Carry it out; the names of all that it was done to."""
        name = self.prepare()
        writes = stand.writes(*self.arguments(name), account=self.account)
        expected = seen(stand, name, self.regions)
        assert writes, "it writes nothing, so there is nothing to drill"
        assert stand.writes(*self.arguments(name), account=self.account) == [], "a second run writes"
        assert seen(stand, name, self.regions) == expected
        names = [name]
        numbers = [number for number, write in enumerate(writes, start=1) if re.search(self.only, write)]
        assert numbers, writes
        for number in numbers:
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


def test_register_with_artifacts_in_several_parts(stand: Stand) -> None:
    """Of an upload that was begun nothing is left, and what had come is not sent again from the first byte."""

    def prepare() -> str:
        name = stand.project("pushed")
        (stand.folder / name / "model/large.bin").write_bytes(Random(7).randbytes(17 << 20))
        return name

    for name in Drill(lambda name: ("register", name, "--yes"), prepare, only="Part|Multipart")(stand):
        (stand.folder / name / "model/large.bin").unlink()


def test_publish(stand: Stand) -> None:
    for name in Drill(lambda name: ("publish", name, "--yes"), lambda: stand.project("registered"))(stand):
        stand.keep("published", name)


def test_release_in_two_regions_at_a_time(stand: Stand) -> None:
    Drill(lambda name: ("release", "--project", name, *OTHERS, "--yes"), stand.project, regions=OTHERS)(stand)


def test_offer(stand: Stand) -> None:
    terms = ("--buyer", BUYER.number, "--price", "0.10", "--until", "2099-01-31", "--yes")
    Drill(lambda name: ("offer", name, *terms), lambda: stand.project("published"))(stand)


def test_subscribe(stand: Stand) -> None:
    products: dict[str, str] = {}

    def prepare() -> str:
        name = stand.project("published")
        products[name] = stand.product(name)[0]
        return name

    Drill(lambda name: ("subscribe", products[name], "--yes"), prepare, BUYER)(stand)


def test_deploy(stand: Stand, bought: tuple[str, str]) -> None:
    Drill(lambda name: deploying(name, bought), deployments(stand), BUYER)(stand)


def test_destroy(stand: Stand, bought: tuple[str, str]) -> None:
    Drill(lambda name: ("destroy", name, "--yes"), deployments(stand, bought), BUYER)(stand)


def test_transform(stand: Stand, bought: tuple[str, str]) -> None:
    deployed = deployments(stand, bought)
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
