"""Names of what models know; here so that reading settings and prompts loads no model."""

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
# How music came about. Rendered music is of samples, synthesised music of oscillators.
KINDS = ("rendered", "synthesised", "recorded")
