"""The bundled model against real music: clips asked for, measured, and the table."""
