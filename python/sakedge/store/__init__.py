"""The adapters of a device: every version, which are active, and the way back."""
