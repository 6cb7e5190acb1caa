"""`sakedge service`: a line that starts with the machine, and is started again when it fails."""
