"""What each clause asks, and why, for who wants to know more than a report has room for."""
