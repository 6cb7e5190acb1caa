"""`sakedge audit`: what was done here, whether the record is whole, and copies of it."""
