"""The runtimes that run the stem: one file each, behind the protocols of `base`."""
