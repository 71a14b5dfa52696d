"""An analysis for people and for programs: terminal, page, JSON and CSV."""
