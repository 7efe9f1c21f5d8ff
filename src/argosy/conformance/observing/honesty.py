"""A second container with an empty `/opt/ml/model`: what do its health checks say?"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import PATIENCE_S, Trial
from argosy.conformance.scenes.endpoint import Honesty, Invocations, Start


def play(bench: Bench, case: Case) -> Case:
    """Start a container without artifacts, where one that has them has answered an invocation.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    start, invocations = case.find(Start), case.find(Invocations)
    if start is None or start.healthy_s is None:
        return Case()
    baseline = invocations.baseline if invocations else None
    observed = Honesty(start, baseline)
    was_unhealthy = any(exchange.status not in (200, None) for exchange in start.pings)
    if not bench.has_artifacts or was_unhealthy or baseline is None or not baseline.is_success:
        return Case.of(observed)
    with tempfile.TemporaryDirectory(prefix="argosy-empty-model-") as folder:
        empty = Path(folder) / "model"  # whoever the container runs as may read it, unlike the folder around it
        empty.mkdir()
        patience_s = min(bench.startup_s, PATIENCE_S + 3 * start.healthy_s)
        with Trial(replace(bench, model_dir=empty, startup_s=patience_s)) as trial:
            bare = trial.start()
            again = trial.send(baseline.request) if bare.is_healthy else None
    return Case.of(replace(observed, bare=bare, bare_invocation=again))


ACT: Final = Act("empty model", (Honesty,), play)
