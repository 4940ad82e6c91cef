"""`python -m sonoriff`: the command line."""

from sonoriff.cli.main import run

if __name__ == "__main__":
    run()
