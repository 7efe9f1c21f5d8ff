"""Inference images of strangers, made of their Dockerfiles with no engine, and images with one thing wrong."""
