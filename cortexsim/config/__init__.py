"""Configuration: models as TOML, held to what can be, and built."""
