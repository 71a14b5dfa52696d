"""After launch: what records say of an experiment, and what may be concluded."""
