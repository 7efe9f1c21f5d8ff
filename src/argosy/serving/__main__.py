"""`python -m argosy.serving serve` is the container's entry point without its image."""

from argosy.serving.main import main

main()
