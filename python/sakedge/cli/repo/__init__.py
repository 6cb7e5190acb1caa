"""`sakedge repo`: a repository that a site distributes to its boxes."""
