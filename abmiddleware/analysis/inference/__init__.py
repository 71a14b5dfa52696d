"""Statistics on aggregates: nothing here reads data, a clock or a configuration."""
