"""From a project and its image to what is sold on AWS Marketplace."""
