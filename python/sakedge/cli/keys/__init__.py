"""`sakedge keys`: keys that sign, and keys that are trusted."""
