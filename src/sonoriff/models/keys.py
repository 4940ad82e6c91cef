"""Names of the keys that models know; here so that reading a prompt loads no model."""

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
