"""The steps, a module each with `run(given)`."""
