"""Kernels as the PTX that ships, translated to C++ on the emulator."""
