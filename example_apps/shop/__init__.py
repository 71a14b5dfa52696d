"""What the three shops share: products, experiments, rankings and pages; no web framework."""
