"""Known mistakes of experiments, found before they start."""
