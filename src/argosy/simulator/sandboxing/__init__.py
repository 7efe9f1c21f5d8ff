"""What a sandbox's first process does to itself before it becomes the image's program."""
