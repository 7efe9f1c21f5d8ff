"""Very many idle connections: does the server still answer, and again when they are gone?"""

from typing import Final

from argosy.conformance.drills.clients import files_for, opened
from argosy.conformance.drills.drill import NOT_HEALTHY, Plan, act, aftermath
from argosy.conformance.observing.trial import Trial
from argosy.conformance.scenes.drills import Connections


def play(plan: Plan) -> Connections | str:
    """Open them, ask, close them, and ask again."""
    wanted = plan.severity.connections
    with files_for(wanted) as room, Trial(plan.bench) as trial:
        if not trial.start().is_healthy:
            return NOT_HEALTHY
        note = f"this machine lets a process have {room} of them" if room < wanted else ""
        with opened(trial.container.url, room) as found:
            count = len(found)
            during = aftermath(plan, trial, f"{count} idle connections")
        after = aftermath(plan, trial, f"{count} connections, closed again")
    return Connections(wanted, count, note, during, after)


ACT: Final = act("connections", Connections, play)
