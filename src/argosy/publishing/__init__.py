"""From an image to a product on AWS Marketplace, and what its buyers are handed."""
