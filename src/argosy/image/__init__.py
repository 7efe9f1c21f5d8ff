"""Project -> image: base, dependencies, server, predictor and artifacts as reproducible layers, with no daemon."""
