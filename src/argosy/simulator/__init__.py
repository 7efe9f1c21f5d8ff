"""SageMaker without the cloud: endpoints and transform jobs around a container known only by HTTP and signals."""
