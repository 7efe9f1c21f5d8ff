"""The steps of each of a buyer's verbs, in their order."""

from collections.abc import Sequence

from argosy.deployment.batch.job import JobStep
from argosy.deployment.endpoint import EndpointStep
from argosy.deployment.endpoint_config import KEY as CONFIG_KEY
from argosy.deployment.endpoint_config import EndpointConfigStep, Instances
from argosy.deployment.model import DeployedModelStep, ModelStep
from argosy.deployment.names import PackageArn
from argosy.deployment.ownership import ENDPOINT_CONFIG, MODEL
from argosy.deployment.package import MODEL_KEY, PackageStep
from argosy.deployment.purchase.prices import PriceStep
from argosy.deployment.remains import RemainsStep
from argosy.deployment.removal import RemoveEndpointStep, RemoveStep
from argosy.planning.step import Stage, Step


def deploy_stages(
    deployment: str, package: PackageArn, role: str, instances: Instances, product: str | None
) -> list[Stage]:
    """A model package as an endpoint; what an earlier version of the deployment left is removed at the end.

    Args:
        deployment: The name of the endpoint.
        package: What is deployed.
        role: ARN of the role that SageMaker takes.
        instances: On what it runs.
        product: Id of the product on AWS Marketplace, for its prices; None where it is not known.
    """
    region = package.region
    steps = (
        PackageStep(region, package),
        *_prices(product),
        ModelStep(deployment, package, role),
        EndpointConfigStep(deployment, region, instances),
        EndpointStep(deployment, region, instances.count),
        RemoveStep(ENDPOINT_CONFIG, deployment, region, CONFIG_KEY),
        RemoveStep(MODEL, deployment, region, MODEL_KEY),
    )
    return [[steps]]


def destroy_stages(deployment: str, region: str) -> list[Stage]:
    """Everything that a deployment made, and nothing else.

    Args:
        deployment: Its name.
        region: Where it is.
    """
    steps = (
        RemainsStep(deployment, region),
        RemoveEndpointStep(deployment, region),
        RemoveStep(ENDPOINT_CONFIG, deployment, region),
        RemoveStep(MODEL, deployment, region),
    )
    return [[steps]]


def model_steps(deployment: str, region: str, package: PackageArn | None, role: str, product: str | None) -> list[Step]:
    """The model that a transform job runs: of a package, or the one that a deployment has.

    Args:
        deployment: Its name.
        region: Where it is.
        package: What is run; None takes the deployment's own model.
        role: ARN of the role that SageMaker takes; of no use without a package.
        product: Id of the product on AWS Marketplace, for its prices; None where it is not known.
    """
    if package is None:
        return [DeployedModelStep(deployment, region), PackageStep(region, None), *_prices(product)]
    return [PackageStep(region, package), *_prices(product), ModelStep(deployment, package, role)]


def transform_stages(models: Sequence[Step], source: Step, job: JobStep, results: Step | None) -> list[Stage]:
    """A transform job over some input.

    Args:
        models: As `model_steps` makes them.
        source: The input.
        job: The job.
        results: What fetches them; None leaves them in S3.
    """
    return [[(*models, source, job, *(() if results is None else (results,)))]]


def _prices(product: str | None) -> Sequence[Step]:
    return () if product is None else (PriceStep(product),)
