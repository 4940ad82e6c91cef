"""The command line. One module per command; `main` finds and imports them by name."""
