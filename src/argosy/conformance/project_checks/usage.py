"""How a version is used: input, output, samples, parameters, instructions, where the notebook is."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from argosy.conformance.check import Check, Group, Verdict, failed, passed
from argosy.conformance.clause import must, should
from argosy.conformance.project_checks.wording import SOLD, UNTRIED, is_on_github, named_faults, text_fault, url_fault
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.sources import CATALOG_SHAPES, CATALOG_VERSIONS, MARKETPLACE_LISTING
from argosy.contract import CUSTOM_ATTRIBUTES, INVOKE_ENDPOINT
from argosy.marketplace.limits import (
    LONGEST_CONSTRAINTS,
    LONGEST_LIMITATIONS,
    LONGEST_NAME,
    LONGEST_NOTES,
    LONGEST_PARAMETER,
    LONGEST_TEXT,
    LONGEST_VERSION,
    MOST_PARAMETERS,
)
from argosy.marketplace.listing import OutputParameter, Parameter, Sample

_CALL: Final = re.compile(
    r"invoke[-_]?endpoint|create[-_]?transform[-_]?job|/endpoints/\S+/invocations|\.(predict|transform)\s*\(",
    re.IGNORECASE,
)
"""As SDKs and the command line spell it: `invokeEndpoint`, `InvokeEndpointCommand`, `aws sagemaker-runtime ...`."""


def _input(facts: ProjectFacts) -> Verdict:
    said = facts.table.usage.input
    limits = said.limitations
    faults = {
        "marketplace.usage.input.description": text_fault(said.description, LONGEST_TEXT),
        "marketplace.usage.input.limitations": text_fault(limits, LONGEST_LIMITATIONS) if limits else None,
    }
    return named_faults(faults, f"{len(said.description)} characters")


def _input_samples(facts: ProjectFacts) -> Verdict:
    said = facts.table.usage.input
    return _samples(facts, "input", said.realtime_sample, said.batch_sample)


def _output(facts: ProjectFacts) -> Verdict:
    text = facts.table.usage.output.description
    faults = {"marketplace.usage.output.description": text_fault(text, LONGEST_TEXT)}
    return named_faults(faults, f"{len(text)} characters")


def _output_samples(facts: ProjectFacts) -> Verdict:
    said = facts.table.usage.output
    return _samples(facts, "output", said.realtime_sample, said.batch_sample)


def _samples(facts: ProjectFacts, side: str, realtime: Sample, batch: Sample) -> Verdict:
    faults = {
        f"marketplace.usage.{side}.realtime_sample": _sample_fault(facts, realtime),
        f"marketplace.usage.{side}.batch_sample": _sample_fault(facts, batch),
    }
    return named_faults(faults, "one for endpoints, one for transform jobs")


def _sample_fault(facts: ProjectFacts, sample: Sample) -> str | None:
    said = [way for way in (sample.text, sample.url, sample.file) if way is not None]
    if len(said) != 1:
        return "is not said" if not said else "is said in more than one way"
    if sample.url is not None:
        return url_fault(sample.url)
    if sample.file is not None:
        found = facts.files.get(sample.file)
        if found is None or found.fault:
            return f"names `{sample.file}`, which {found.fault if found else 'is not there'}"
        if found.size > LONGEST_TEXT:
            return f"names `{sample.file}` of {found.size:,} bytes, want at most {LONGEST_TEXT:,}: give its url"
    text = facts.text_of(sample) or ""
    if not text.strip():
        return "is empty"
    return f"has {len(text):,} characters, want at most {LONGEST_TEXT:,}" if len(text) > LONGEST_TEXT else None


def _parameters(facts: ProjectFacts) -> Verdict:
    said = facts.table.usage.input
    faults = {
        **_parameter_faults("input.parameters", said.parameters),
        **_parameter_faults("input.custom_attributes", said.custom_attributes),
        **_parameter_faults("output.parameters", facts.table.usage.output.parameters),
    }
    return named_faults(faults, "names, descriptions and constraints have their lengths")


def _parameter_faults(field: str, parameters: Sequence[Parameter | OutputParameter]) -> dict[str, str | None]:
    place = f"marketplace.usage.{field}"
    faults: dict[str, str | None] = {}
    if len(parameters) > MOST_PARAMETERS:
        faults[place] = f"has {len(parameters)}, want at most {MOST_PARAMETERS}"
    names = [one.name for one in parameters]
    for number, one in enumerate(parameters):
        if not 1 <= len(one.name) <= LONGEST_NAME or not one.name.isascii() or not one.name.isprintable():
            faults[f"{place}[{number}].name"] = f"wants 1 to {LONGEST_NAME} printable ASCII characters"
        elif names.index(one.name) != number:
            faults[f"{place}[{number}].name"] = "is there twice"
        faults[f"{place}[{number}].description"] = text_fault(one.description, LONGEST_PARAMETER)
        if isinstance(one, OutputParameter):
            if len(one.whole_description) > LONGEST_PARAMETER:
                faults[f"{place}[{number}].description"] = f"wants at most {LONGEST_PARAMETER:,} with its constraints"
        elif len(one.constraints) > LONGEST_CONSTRAINTS:
            faults[f"{place}[{number}].constraints"] = f"wants at most {LONGEST_CONSTRAINTS:,} characters"
    return faults


def _input_parameters(facts: ProjectFacts) -> Verdict:
    parameters = facts.table.usage.input.parameters
    if not parameters:
        return failed("`marketplace.usage.input.parameters` names none")
    open_ = [one.name for one in (*parameters, *facts.table.usage.input.custom_attributes) if one.required is None]
    if open_:
        return failed(f"whether `{open_[0]}` is required, is not said")
    return passed(f"{len(parameters)}")


def _output_parameters(facts: ProjectFacts) -> Verdict:
    parameters = facts.table.usage.output.parameters
    if not parameters:
        return failed("`marketplace.usage.output.parameters` names none")
    open_ = [one.name for one in parameters if one.always_returned is None]
    if open_:
        return failed(f"whether `{open_[0]}` is always returned, is not said")
    return passed(f"{len(parameters)}")


def _attributes(facts: ProjectFacts) -> Verdict:
    names = [one.name for one in facts.table.usage.input.custom_attributes]
    size = sum(len(f"{name}=,") for name in names)
    if size > CUSTOM_ATTRIBUTES.value:
        return failed(f"the names alone have {size:,} characters, want at most {CUSTOM_ATTRIBUTES.value:,g} in all")
    return passed(f"{len(names)} custom attributes")


def _instructions(facts: ProjectFacts) -> Verdict:
    faults = {"marketplace.usage.instructions": text_fault(facts.table.usage.instructions, LONGEST_TEXT)}
    return named_faults(faults, f"{len(facts.table.usage.instructions)} characters")


def _example(facts: ProjectFacts) -> Verdict:
    found = _CALL.search(facts.table.usage.instructions)
    if found is None:
        return failed("`marketplace.usage.instructions` has no call of an endpoint or a transform job")
    return passed(f"`{found.group()}`")


def _release(facts: ProjectFacts) -> Verdict:
    said = facts.table.release
    title = facts.table.version if said.title is None else said.title
    faults = {
        "marketplace.release.title": text_fault(title, LONGEST_VERSION),
        "marketplace.release.notes": text_fault(said.notes, LONGEST_NOTES),
    }
    return named_faults(faults, f"`{title}`")


def _notebook_url(facts: ProjectFacts) -> Verdict:
    said = facts.table.usage
    faults = {"marketplace.usage.notebook_url": url_fault(said.notebook_url)}
    if said.repository_url is not None or not faults["marketplace.usage.notebook_url"]:
        faults["marketplace.usage.repository_url"] = url_fault(said.repository)
    return named_faults(faults, UNTRIED)


def _github(facts: ProjectFacts) -> Verdict:
    for field, url in _github_urls(facts):
        if not is_on_github(url):
            return failed(f"`marketplace.usage.{field}` is not on GitHub: `{url[:80]}`")
    return passed("addresses on GitHub, or samples in the listing itself; whether they can be opened is not tried")


def _github_urls(facts: ProjectFacts) -> Iterator[tuple[str, str]]:
    said = facts.table.usage
    yield "notebook_url", said.notebook_url
    if said.repository_url is not None:
        yield "repository_url", said.repository_url
    for side, table in (("input", said.input), ("output", said.output)):
        for field, sample in (("realtime_sample", table.realtime_sample), ("batch_sample", table.batch_sample)):
            if sample.url is not None:
                yield f"{side}.{field}", sample.url


_GROUP: Final[Group[ProjectFacts]] = Group("usage", ProjectFacts)

CHECKS: Final[tuple[Check[ProjectFacts], ...]] = (
    _GROUP.check(
        must(
            "usage-input",
            MARKETPLACE_LISTING,
            "The input's format and limitations are described, for endpoints and for transform jobs.",
            "set description in [marketplace.usage.input]",
            rows="D08",
            only=SOLD,
        ),
        _input,
    ),
    _GROUP.check(
        must(
            "usage-input-samples",
            MARKETPLACE_LISTING,
            "There is a sample of the input for endpoints, and one for transform jobs.",
            'set realtime_sample = { file = "samples/one.json" } and batch_sample in [marketplace.usage.input]',
            rows="D09",
            only=SOLD,
        ),
        _input_samples,
    ),
    _GROUP.check(
        must(
            "usage-output",
            MARKETPLACE_LISTING,
            "The output's format and limitations are described, for endpoints and for transform jobs.",
            "set description in [marketplace.usage.output]",
            rows="D11",
            only=SOLD,
        ),
        _output,
    ),
    _GROUP.check(
        must(
            "usage-output-samples",
            MARKETPLACE_LISTING,
            "There is a sample of the output for endpoints, and one for transform jobs.",
            'set realtime_sample = { text = "..." } and batch_sample in [marketplace.usage.output]',
            rows="D12",
            only=SOLD,
        ),
        _output_samples,
    ),
    _GROUP.check(
        must(
            "usage-instructions",
            MARKETPLACE_LISTING,
            "How the version is used is said again with each version, with at most 10000 characters.",
            "set instructions in [marketplace.usage]",
            rows="D18",
            only=SOLD,
        ),
        _instructions,
    ),
    _GROUP.check(
        must(
            "usage-example",
            MARKETPLACE_LISTING,
            "The instructions have code that calls an endpoint or a transform job.",
            "add a call of invoke_endpoint, or of `aws sagemaker-runtime invoke-endpoint`, to the instructions",
            rows="D13",
            only=SOLD,
        ),
        _example,
        "usage-instructions",
    ),
    _GROUP.check(
        must(
            "usage-release",
            CATALOG_VERSIONS,
            "The version has a title of at most 64 characters and notes of what changed.",
            "set notes in [marketplace.release]",
            rows="D18 F22",
            only=SOLD,
        ),
        _release,
    ),
    _GROUP.check(
        must(
            "usage-notebook-url",
            MARKETPLACE_LISTING,
            "The sample notebook and its repository have https addresses that buyers could reach.",
            "set notebook_url in [marketplace.usage], and repository_url where the notebook is not on GitHub",
            rows="D15 V13",
            only=SOLD,
        ),
        _notebook_url,
    ),
    _GROUP.check(
        must(
            "usage-github",
            MARKETPLACE_LISTING,
            "The addresses of samples and notebook are GitHub's.",
            "push them to a public repository, and name their pages there",
            rows="D09 D12 D15",
            only=SOLD,
        ),
        _github,
        "usage-notebook-url",
        "usage-input-samples",
        "usage-output-samples",
    ),
    _GROUP.check(
        must(
            "usage-parameter-form",
            CATALOG_SHAPES,
            "At most 35 parameters a list, each with a name of its own and a description.",
            "shorten or merge them in [marketplace.usage.input] and [marketplace.usage.output]",
            rows="D10 D14",
            only=SOLD,
        ),
        _parameters,
    ),
    _GROUP.check(
        should(
            "usage-input-params",
            MARKETPLACE_LISTING,
            "Each input parameter has a name and a description, and is required or optional.",
            "add [[marketplace.usage.input.parameters]] with name, description and required = true",
            rows="D10",
            only=SOLD,
        ),
        _input_parameters,
        "usage-parameter-form",
    ),
    _GROUP.check(
        should(
            "usage-output-params",
            MARKETPLACE_LISTING,
            "Each output parameter has a name and a description, and is always returned or not.",
            "add [[marketplace.usage.output.parameters]] with name, description and always_returned = true",
            rows="D14",
            only=SOLD,
        ),
        _output_parameters,
        "usage-parameter-form",
    ),
    _GROUP.check(
        must(
            "usage-attributes",
            INVOKE_ENDPOINT,
            "The custom attributes fit into the 1024 characters that a request may have of them.",
            "shorten the names in [[marketplace.usage.input.custom_attributes]], or take values from the body",
            rows="L06",
            only=SOLD,
        ),
        _attributes,
        "usage-parameter-form",
    ),
)
