"""What a site has decided: its policy, its keys, its audit log."""
