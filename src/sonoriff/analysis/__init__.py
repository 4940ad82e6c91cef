"""What is heard in a sound: beats and bars, key, chords, energy."""
