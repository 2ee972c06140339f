"""The kinds of label; one file a kind."""
