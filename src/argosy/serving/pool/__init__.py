"""What runs in the front between a request and a model process: the queue, batching, and who is alive."""
