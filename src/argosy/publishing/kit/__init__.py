"""What buyers are handed with a product: a notebook, a client, samples, addresses, policies; ready for GitHub."""
