"""VEX: of known weaknesses in packages of a bundle, whether sakedge is affected, and why not."""
