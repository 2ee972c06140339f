"""Did sharing pay: several runs, side by side."""
