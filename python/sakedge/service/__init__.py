"""A line as a service: what it runs, the unit that keeps it running, and how it says it is well."""
