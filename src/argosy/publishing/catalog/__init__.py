"""Products and offers at AWS Marketplace: what of them is there, and the change sets that make them what is said."""
