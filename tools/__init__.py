"""Host-side tools behind the Makefile: `python -m tools --help`."""
