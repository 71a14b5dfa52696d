"""Before launch: what an experiment is to show, and whether it can."""
