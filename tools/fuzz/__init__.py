"""Fuzzers: hostile inputs for each reader, which may do nothing but raise `SakedgeError`."""
