"""Objects in buckets: a local folder that stands in for S3, or S3 itself."""
