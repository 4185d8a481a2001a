"""Programs that are measured in an interpreter of their own; each prints its figures as JSON."""
