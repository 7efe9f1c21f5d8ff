"""From a project and its image to what is sold on AWS Marketplace, and what its buyers are handed."""
