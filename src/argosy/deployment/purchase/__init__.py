"""Buying: what is offered, what was agreed to, and what that costs. AWS Marketplace is asked in us-east-1 alone."""
