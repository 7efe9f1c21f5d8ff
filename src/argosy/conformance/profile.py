"""What an image is to be: which clauses ask something of it, and how hard."""

from enum import StrEnum


class Profile(StrEnum):
    """A use of an image."""

    SAGEMAKER = "sagemaker"
    """Real-time endpoints and transform jobs of its owner."""
    MARKETPLACE = "marketplace"
    """A model package that is sold on AWS Marketplace."""
    SERVERLESS = "serverless"
    """A serverless endpoint."""
    MULTI_MODEL = "multi-model"
    """An endpoint that loads and unloads models."""
    PIPELINE = "pipeline"
    """One of several containers of an inference pipeline."""
