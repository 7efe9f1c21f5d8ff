"""The transform job by which AWS Marketplace validates a package, run as the project writes it, over its samples."""

import tempfile
from pathlib import Path
from typing import Final

from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.scenes.batch import Job, ValidationJob
from argosy.conformance.scenes.endpoint import Start
from argosy.conformance.scenes.project import Folder, NamedFile, ProjectFacts
from argosy.conformance.starts.jobs import NOT_READY, LentContainer, carry_out, is_ready, results_in
from argosy.errors import UsageError
from argosy.marketplace.model_package import PROFILE_NAME, Places, package_name, transform_job_definition
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectUri
from argosy.simulator.transform.definition import TransformJobDefinition


def play(bench: Bench, case: Case) -> Case:
    """Run the job over the samples where they are, and keep its results for as long as they are looked at.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    facts, first = case.find(ProjectFacts), case.find(Start)
    if facts is None:
        return Case().without((ValidationJob,), case.absent.get(ProjectFacts, "nothing is said of what is sold"))
    if facts.samples is None or not facts.samples.files or first is None:
        return Case().without((ValidationJob,), "`marketplace.validation.samples` names no samples")
    try:
        definition = definition_of(facts)
    except UsageError as error:
        return Case.of(ValidationJob(first, refusal=error.message))
    environment = {**facts.table.environment, **definition.container_environment}
    with Trial(bench.patient(first), Launch(environment=environment, model_dir=bench.model_dir)) as trial:
        start = trial.start()
        if not start.is_healthy:
            return Case.of(ValidationJob(start))
        if not is_ready(trial):
            return Case().without((ValidationJob,), NOT_READY)
        job = run_over(definition, facts, facts.samples.files, trial.container)
    return Case.of(ValidationJob(start, job, expected=_expected(facts)))


def run_over(
    definition: TransformJobDefinition, facts: ProjectFacts, samples: tuple[NamedFile, ...], container: Container
) -> Job:
    """Run the job over some of the project's samples, in a container that is healthy and goes on.

    Args:
        definition: The validation's job.
        facts: The project.
        samples: Which of `facts.samples`.
        container: Runs.
    """
    source, target = definition.input_uri, definition.output_uri
    folder = facts.samples.path if facts.samples else ""
    with tempfile.TemporaryDirectory(prefix="argosy-validation-") as made:
        bucket = Path(made) / "bucket"
        for sample in samples:
            place = bucket / source.key / sample.path.removeprefix(f"{folder}/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to((facts.root / sample.path).resolve())
        store = LocalFolder(None, {source.bucket: bucket, target.bucket: bucket})
        outcome, log = carry_out(definition, LentContainer(container), store, Path(made))
        return Job(_told(definition, source), len(samples), outcome, results_in(bucket / target.key), log)


def definition_of(facts: ProjectFacts) -> TransformJobDefinition:
    """The validation's job as the project writes it.

    Raises:
        UsageError: A member of it is none.
    """
    request = transform_job_definition(facts.table, facts.types, Places.of(facts.table))
    return TransformJobDefinition.from_request(
        {**request, "TransformJobName": PROFILE_NAME, "ModelName": package_name(facts.table)}
    )


def _told(definition: TransformJobDefinition, source: ObjectUri) -> str:
    given = definition.transform_input
    return f"the validation's, {source}, {given.content_type}, SplitType {given.split_type}"


def _expected(facts: ProjectFacts) -> dict[str, bytes]:
    folder: Folder | None = facts.expected
    if folder is None:
        return {}
    return {file.path.removeprefix(f"{folder.path}/"): file.head for file in folder.files if file.is_whole}


ACT: Final = Act("validation job", (ValidationJob,), play)
