"""Bundles made, installed and interrupted: in a fresh root without a network, and killed."""
