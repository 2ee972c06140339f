"""What sharing schemes have in common."""
