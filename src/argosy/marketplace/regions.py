"""Where AWS Marketplace offers machine-learning products: the regions that every account has.

Source: AWS Marketplace seller guide, "Service restrictions and quotas"; the entity of a machine-learning product in
awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0; Amazon EC2, "Regions" (read 2026-11-23).
"""

from typing import Final

DEFAULT_REGIONS: Final = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
"""Regions that every account has, and that AWS's own sample of an ML product is offered in."""
