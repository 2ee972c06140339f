"""What an epoch takes, and in which order."""
