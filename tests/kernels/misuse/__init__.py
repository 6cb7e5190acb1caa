"""Calls of the compiled modules that no caller should make, each in a process that may die."""
