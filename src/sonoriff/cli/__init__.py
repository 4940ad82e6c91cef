"""The command line. One module a command; `main` finds them by name and loads what is called."""
