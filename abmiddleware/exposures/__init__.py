"""What happened, as records, and where the records go: by default the journal on local disk."""
