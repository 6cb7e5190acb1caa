"""The demo student: procedural scenes, three small teachers, a SAK student trained on them."""
