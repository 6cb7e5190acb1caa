"""Whether an adapter may go live: on golden images before, on live ones after."""
