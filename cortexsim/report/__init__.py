"""Reports: what is printed and written of results."""
