"""Adapter packs."""
