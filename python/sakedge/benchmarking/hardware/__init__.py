"""What the machine says of itself: device, power mode, clocks, heat, energy. Read-only.

Every reading that a system does not give is None, with the reason in `Gaps`. Nothing here reads a
serial number, a host name or a user.
"""
