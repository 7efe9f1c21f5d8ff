"""Runs containers as the platform does and writes down what happens: acts play scenes."""
