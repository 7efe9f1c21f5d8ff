"""The `sagemaker` API: resources in SQLite, and the endpoints and jobs that they stand for."""
