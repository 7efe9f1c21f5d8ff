"""Project -> Dockerfile with all that it needs, for those who must, or would rather, build with an engine."""
