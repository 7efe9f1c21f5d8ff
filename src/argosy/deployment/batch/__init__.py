"""Transform jobs of AWS: input in S3 or on this machine, one job for one content, results where they are wanted."""
