"""What `argosy build` does beside the image, and by way of a Dockerfile."""
