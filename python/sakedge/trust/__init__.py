"""Who made a file, and whether it may be used: keys, envelopes, encryption."""
