"""AWS Marketplace: its state, the buyer's two APIs, and the service that answers these and the seller's.

The seller's API, `marketplace-catalog`, is beside it in `local_aws/catalog`. What AWS does is written down here from
its documents; where they leave a question open, `MarketplaceOptions` has a named option.
"""
