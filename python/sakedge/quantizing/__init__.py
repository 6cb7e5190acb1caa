"""Students quantised to int8, and the gate per task that a quantised student has to pass."""
