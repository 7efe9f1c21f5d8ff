"""What a buyer does: a subscription, a model package as an endpoint or a transform job, and an end to all of it."""
