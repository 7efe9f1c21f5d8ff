"""A container as a serverless endpoint has it: a user that is not root, little memory, no GPU, three minutes."""

import os
from dataclasses import replace
from typing import Final

from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.conformance.scenes.starts import OtherUser
from argosy.conformance.starts.confined import confined
from argosy.simulator.containers.container import Launch

STARTUP_S: Final = 180.0
"""Within which a serverless endpoint has fetched its model and is healthy.

Source:
    docs.aws.amazon.com/sagemaker/latest/dg, "Serverless endpoints: invoke" (read 2026-11-22)
"""
_USER: Final = 54321
"""No image has it: UNSURE which one a serverless endpoint takes."""


def play(bench: Bench, case: Case) -> Case:
    """Start a container so, and ask it what the first one answered.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    first, invocations = case.find(Start), case.find(Invocations)
    if first is None:
        return Case()
    limit_s = min(bench.startup_s, STARTUP_S)
    launch = Launch(model_dir=bench.model_dir, user=_USER, memory_bytes=bench.serverless_mb * 2**20)
    baseline = invocations.baseline if invocations else None
    found = confined(replace(bench, startup_s=limit_s), launch, first, baseline)
    if found.kind == "sandbox" and os.geteuid() != 0:  # its user namespace has no user but root
        found = replace(found, is_enforced=False)
    return Case.of(OtherUser(found, _USER, bench.serverless_mb, limit_s))


ACT: Final = Act("serverless", (OtherUser,), play, is_alone=True)
