"""The HTTP API: routes, what comes and goes, who may come in."""
