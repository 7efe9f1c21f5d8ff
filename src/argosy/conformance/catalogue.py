"""Everything that is asked of an image: all checks in the order of a report, their clauses, the acts that they need."""

from collections.abc import Mapping
from typing import Any, Final

from argosy.conformance.account_checks import registry, roles
from argosy.conformance.check import Check
from argosy.conformance.clause import Clause
from argosy.conformance.container_checks import (
    batch,
    drills,
    health,
    isolation,
    multi_model,
    pipeline,
    rough_clients,
    serverless,
    shutdown,
    startup,
)
from argosy.conformance.container_checks import validation as validation_job
from argosy.conformance.drills.catalogue import DRILLS
from argosy.conformance.image_checks import (
    archive,
    downloads,
    gpu,
    image,
    nginx,
    places,
    program,
    python_servers,
    settings,
    size,
    system,
)
from argosy.conformance.invocation_checks import bodies, errors, invocations, load, log, metering, streams
from argosy.conformance.observing import endpoint, honesty
from argosy.conformance.observing.act import Act
from argosy.conformance.project_checks.catalogue import PACKAGE_CHECKS, PRODUCT_CHECKS
from argosy.conformance.starts import batch as transform_jobs
from argosy.conformance.starts import instance, models, read_only
from argosy.conformance.starts import pipeline as pipeline_act
from argosy.conformance.starts import serverless as serverless_act
from argosy.conformance.starts import validation as validation_act

CHECKS: Final[tuple[Check[Any], ...]] = (  # each check has a scene type of its own, hence Any
    *image.CHECKS,
    *program.CHECKS,
    *settings.CHECKS,
    *gpu.CHECKS,
    *places.CHECKS,
    *downloads.CHECKS,
    *python_servers.CHECKS,
    *nginx.CHECKS,
    *system.CHECKS,
    *size.CHECKS,
    *archive.CHECKS,
    *startup.CHECKS,
    *health.CHECKS,
    *invocations.CHECKS,
    *load.CHECKS,
    *bodies.CHECKS,
    *streams.CHECKS,
    *metering.CHECKS,
    *errors.CHECKS,
    *log.CHECKS,
    *batch.CHECKS,
    *isolation.CHECKS,
    *serverless.CHECKS,
    *multi_model.CHECKS,
    *pipeline.CHECKS,
    *shutdown.CHECKS,
    *drills.CHECKS,
    *rough_clients.CHECKS,
    *PACKAGE_CHECKS,
    *validation_job.CHECKS,
    *PRODUCT_CHECKS,
    *registry.CHECKS,
    *roles.CHECKS,
)
"""All checks, in the order of a report."""

CLAUSES: Final[Mapping[str, Clause]] = {check.clause.id: check.clause for check in CHECKS}
"""Every clause by its id, in the same order."""

ACTS: Final[tuple[Act, ...]] = (
    endpoint.ACT,
    transform_jobs.ACT,
    read_only.ACT,
    honesty.ACT,
    validation_act.ACT,
    instance.ACT,
    serverless_act.ACT,
    models.ACT,
    pipeline_act.ACT,
    *DRILLS,
)
"""All acts; the first is always played."""
