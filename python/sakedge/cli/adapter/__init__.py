"""The verbs of `sakedge adapter`: one thin file each."""
