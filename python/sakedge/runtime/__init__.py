"""How a loaded student runs: model, precision, threads, options, and what explains them."""
