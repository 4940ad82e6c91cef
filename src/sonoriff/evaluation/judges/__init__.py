"""What hears: networks, tempo, key, distances between sets of clips."""
