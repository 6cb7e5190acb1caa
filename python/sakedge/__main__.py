"""`python -m sakedge` is the command line."""

from sakedge.cli import main

if __name__ == "__main__":
    main()
