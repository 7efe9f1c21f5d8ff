from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act, observe
from argosy.conformance.observing.bench import Bench
from argosy.conformance.scenes.at_rest import Still
from argosy.conformance.scenes.endpoint import Start
from argosy.simulator.containers.container import Container, Launch
from tests.conformance.exchanges import HEALTHY
from tests.conformance.images import make_image


def no_container(launch: Launch) -> Container:
    raise AssertionError("no container is wanted")


def test_every_act_sees_the_image_at_rest_and_all_that_was_seen_before() -> None:
    seen: list[set[type]] = []

    def play(bench: Bench, case: Case) -> Case:
        seen.append(set(case.scenes))
        return Case.of(HEALTHY)

    acts = (Act("first", (Start,), play), Act("second", (Start,), play))
    still = Still(make_image(), is_stored=True)
    case = observe(Bench(no_container, is_read_only=True), acts, {Start}, Case.of(still))
    assert seen == [{Still}, {Still, Start}]
    assert case.find(Still) is still
