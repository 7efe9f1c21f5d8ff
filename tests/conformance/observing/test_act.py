from argosy.conformance.case import Case
from argosy.conformance.observing.act import NOT_ASKED, Act, observe
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.severity import Severity
from argosy.conformance.scenes.at_rest import Still
from argosy.conformance.scenes.endpoint import Health, Start
from tests.conformance.images import make_image
from tests.conformance.servers import launch_server


def _start(bench: Bench, case: Case) -> Case:
    return Case.of(Start(limit_s=1.0, healthy_s=0.1))


def _health(bench: Bench, case: Case) -> Case:
    return Case.of(Health((), ()))


ACTS = (Act("start", (Start,), _start, needs_healthy=False), Act("drill", (Health,), _health, is_drill=True))


def test_a_drill_is_played_only_where_it_is_asked_for() -> None:
    bench = Bench(launch_server("clean"), is_read_only=True)
    unasked = observe(bench, ACTS, {Start, Health})
    assert unasked.find(Health) is None
    assert unasked.absent == {Health: NOT_ASKED}
    asked = observe(Bench(bench.launch, is_read_only=True, drills=Severity()), ACTS, {Start, Health})
    assert asked.find(Health) is not None
    assert asked.absent == {}


def test_every_act_sees_the_image_at_rest_and_all_that_was_seen_before() -> None:
    seen: list[set[type]] = []

    def play(bench: Bench, case: Case) -> Case:
        seen.append(set(case.scenes))
        return _start(bench, case)

    acts = (Act("first", (Start,), play), Act("second", (Start,), play))
    still = Still(make_image(), is_stored=True)
    case = observe(Bench(launch_server("clean"), is_read_only=True), acts, {Start}, Case.of(still))
    assert seen == [{Still}, {Still, Start}]
    assert case.find(Still) is still
