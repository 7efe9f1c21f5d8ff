"""What serving costs beyond the framework's own call, for each flavor."""
