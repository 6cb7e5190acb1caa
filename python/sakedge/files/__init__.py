"""General file tools: atomic writing, mapping, giving pages back."""
