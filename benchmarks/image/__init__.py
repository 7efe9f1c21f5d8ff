"""What a build costs."""
