"""What AWS's toolkits give an inference script: defaults for the functions that it leaves out, and the context."""
