"""Part packs: one adapter path, router or head alone in a file, with what it was made for."""
