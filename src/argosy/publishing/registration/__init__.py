"""The steps to a model package in one region: repository, image, scan, bucket, artifacts, samples, package."""
