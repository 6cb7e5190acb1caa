"""General file tools: atomic writing, mapping, releasing pages."""
