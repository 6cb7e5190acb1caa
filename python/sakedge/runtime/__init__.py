"""How a loaded student runs: model, precision, threads, options, and their explanation."""
