"""`[marketplace.listing]` and `[marketplace.usage]`: what buyers read on the product's page and in its versions.

Source: AWS Marketplace seller guide, "Requirements and best practices for creating machine learning products"; the
shapes of `MachineLearningProduct@1.0` in awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0 (read 2026-11-23).
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

_REPOSITORY: Final = re.compile(r"https://(www\.)?github\.com/[^/?#]+/[^/?#]+")


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `[[marketplace.listing.resources]]`: a manual, an article, sample data.

    Attributes:
        text: What the buyer reads.
        url: Where it leads, `https://`.
    """

    text: str = ""
    url: str = ""


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.listing]` table: the product's page.

    Attributes:
        title: Name of the product, at most 72 characters.
        short_description: One or two sentences, at most 1000 characters.
        description: What the product does, for each content type that it takes. With the texts below, each under a
            heading of its own, it becomes the long description of at most 5000 characters.
        use_cases: What it is used for most.
        training_data: Source and size of what it was trained on.
        limitations: What it does badly, or not at all.
        performance: A metric with its number and the data on which it was measured.
        speed: Latency or throughput, with the instance type on which it was measured.
        differentiation: What sets it apart, without superlatives.
        framework: What it is made with.
        medical_use: For medical products: whether it may be used for diagnosis, and by whom.
        highlights: One to three, of at most 500 characters each.
        categories: One to three of AWS Marketplace's.
        keywords: What buyers search for: one to fifteen, of at most 50 characters each.
        logo_url: `https://`, an image in a bucket that anybody can read.
        video_url: `https://`, or None.
        sku: The seller's own number of the product, or None.
        support: How buyers get help, at most 2000 characters.
        resources: At most three, each `{ text, url }`.
    """

    title: str = ""
    short_description: str = ""
    description: str = ""
    use_cases: str = ""
    training_data: str = ""
    limitations: str = ""
    performance: str = ""
    speed: str = ""
    differentiation: str = ""
    framework: str = ""
    medical_use: str = ""
    highlights: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    logo_url: str = ""
    video_url: str | None = None
    sku: str | None = None
    support: str = ""
    resources: tuple[Link, ...] = ()

    @property
    def long_description(self) -> str:
        """The text of the page: the description, then a paragraph for each of the other texts that are said."""
        return "\n\n".join(self._paragraphs())

    def _paragraphs(self) -> Iterator[str]:
        if self.description.strip():
            yield self.description.strip()
        for heading, text in (
            ("Use cases", self.use_cases),
            ("Training data", self.training_data),
            ("Limitations", self.limitations),
            ("Performance", self.performance),
            ("Speed", self.speed),
            ("What sets it apart", self.differentiation),
            ("Framework", self.framework),
            ("Medical use", self.medical_use),
        ):
            if text.strip():
                yield f"{heading}: {text.strip()}"


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sample of an input or an output, said in one of three ways.

    Attributes:
        text: The sample itself.
        url: Where it is, `https://` on GitHub.
        file: A file of the project that has it, relative to the project; its text is what the listing gets.
    """

    text: str | None = None
    url: str | None = None
    file: str | None = None


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `[[marketplace.usage.input.parameters]]` or `[[marketplace.usage.input.custom_attributes]]`.

    Attributes:
        name: 1 to 100 printable ASCII characters.
        description: What it is, at most 1000 characters.
        constraints: What it may be, at most 1500 characters.
        required: Whether every request has to have it; None is undecided.
    """

    name: str = ""
    description: str = ""
    constraints: str = ""
    required: bool | None = None


class OutputParameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `[[marketplace.usage.output.parameters]]`.

    Attributes:
        name: 1 to 100 printable ASCII characters.
        description: What it is; with the constraints at most 1000 characters.
        constraints: What it may be.
        always_returned: Whether every answer has it; None is undecided.
    """

    name: str = ""
    description: str = ""
    constraints: str = ""
    always_returned: bool | None = None

    @property
    def whole_description(self) -> str:
        """The description, then the constraints, for which AWS Marketplace has no field of their own in an output."""
        return " ".join(text.strip() for text in (self.description, self.constraints) if text.strip())


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.usage.input]` table: what a request holds.

    Attributes:
        description: The format, for endpoints and for transform jobs, at most 10000 characters.
        limitations: What is not taken, at most 1000 characters.
        realtime_sample: `{ text }`, `{ url }` or `{ file }`: the body of one invocation of an endpoint.
        batch_sample: The same for an input object of a transform job.
        parameters: At most 35, each `{ name, description, constraints, required }`.
        custom_attributes: What the model reads from `X-Amzn-SageMaker-Custom-Attributes`: at most 35, as parameters.
    """

    description: str = ""
    limitations: str = ""
    realtime_sample: Sample = Sample()
    batch_sample: Sample = Sample()
    parameters: tuple[Parameter, ...] = ()
    custom_attributes: tuple[Parameter, ...] = ()


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.usage.output]` table: what an answer holds.

    Attributes:
        description: The format, for endpoints and for transform jobs, at most 10000 characters.
        realtime_sample: `{ text }`, `{ url }` or `{ file }`: the body of one answer of an endpoint.
        batch_sample: The same for an output object of a transform job.
        parameters: At most 35, each `{ name, description, constraints, always_returned }`.
    """

    description: str = ""
    realtime_sample: Sample = Sample()
    batch_sample: Sample = Sample()
    parameters: tuple[OutputParameter, ...] = ()


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.usage]` table: how a version is used; AWS wants it again with each version.

    Attributes:
        instructions: How to call it, with code for an endpoint or a transform job, at most 10000 characters.
        notebook: The sample notebook in the project, relative to it; `argosy check` reads it.
        notebook_url: Where buyers find it, `https://` on GitHub.
        repository_url: The repository with samples and notebook, `https://` on GitHub; None means the notebook's own.
        input: The table `[marketplace.usage.input]`.
        output: The table `[marketplace.usage.output]`.
    """

    instructions: str = ""
    notebook: str | None = None
    notebook_url: str = ""
    repository_url: str | None = None
    input: Input = Input()
    output: Output = Output()

    @property
    def repository(self) -> str:
        """The repository's address, which AWS Marketplace wants: the one that is said, else the notebook's on GitHub.

        >>> Usage(notebook_url="https://github.com/example/vehicles/blob/main/notebook.ipynb").repository
        'https://github.com/example/vehicles'
        """
        if self.repository_url is not None:
            return self.repository_url
        found = _REPOSITORY.match(self.notebook_url)
        return found.group() if found else ""
