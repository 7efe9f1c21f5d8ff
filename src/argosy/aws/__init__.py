"""The only door to AWS: the calls that Argosy makes, each typed, through boto3 where it is installed."""
