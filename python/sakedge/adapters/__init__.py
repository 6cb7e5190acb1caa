"""What may be exchanged in a loaded student, and the snapshot of it that a call sees."""
