"""Training of the shipped models: one stage per script, in the order of Scripts/README.md."""
