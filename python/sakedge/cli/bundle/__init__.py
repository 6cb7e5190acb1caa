"""`sakedge bundle`, a file per verb."""
