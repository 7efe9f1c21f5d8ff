"""How much of each thing AWS Marketplace takes: one table for who makes change sets and for who judges a project.

Source: the shapes of `MachineLearningProduct@1.0` and `Offer@1.0` in
awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0; StartChangeSet in botocore's marketplace-catalog model
(read 2026-11-23). Lengths are in characters.
"""

from typing import Final

LONGEST_TITLE: Final = 72
LONGEST_SHORT: Final = 1000
LONGEST_LONG: Final = 5000
LONGEST_SKU: Final = 5000
LONGEST_HIGHLIGHT: Final = 500
LONGEST_KEYWORD: Final = 50
LONGEST_SUPPORT: Final = 2000
LONGEST_LINK_TEXT: Final = 500
LONGEST_URL: Final = 2000
MOST_HIGHLIGHTS: Final = 3
MOST_CATEGORIES: Final = 3
MOST_KEYWORDS: Final = 15
MOST_LINKS: Final = 3
"""Of the product's page."""

LONGEST_TEXT: Final = 10_000
"""Of a sample, and of each description of how a version is used."""
LONGEST_LIMITATIONS: Final = 1000
LONGEST_NAME: Final = 100
LONGEST_PARAMETER: Final = 1000
LONGEST_CONSTRAINTS: Final = 1500
MOST_PARAMETERS: Final = 35
LONGEST_TYPE: Final = 24
LONGEST_VERSION: Final = 64
LONGEST_NOTES: Final = 30_000
"""Of a version."""

LONGEST_OFFER: Final = 150
LONGEST_OFFER_DESCRIPTION: Final = 255
LONGEST_REFUND_POLICY: Final = 500
AMOUNT: Final = r"\d{1,8}(\.\d{0,8})?"
"""A price, as a pattern."""
SHORTEST_TRIAL: Final = 5
LONGEST_TRIAL: Final = 31
"""Days of a free trial."""

MOST_BUYERS: Final = 100
"""Accounts that a limited product, or a private offer, is shown to."""
MOST_CHANGES: Final = 20
"""Changes of one change set."""
MOST_RESTRICTED: Final = 50
"""Versions that one change restricts."""
