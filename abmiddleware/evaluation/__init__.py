"""Pure decisions: from a definition and attributes to a variation. No I/O, clock or randomness."""
