"""S3 of the local AWS: moto's, and what moto lets pass that S3 refuses."""
