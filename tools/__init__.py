"""Host side: build, flash, deploy, provision, monitor and run. `python -m tools ...`, wrapped by the Makefile."""
