"""Configuration: models and tasks are read from TOML, validated, and built."""
