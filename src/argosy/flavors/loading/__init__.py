"""What every flavor needs before it can load: the framework, the project's options, the file."""
