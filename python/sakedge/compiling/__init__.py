"""Compiles a student's graphs ahead of its first start: `sakedge compile`."""
