"""The demo: real mail through the real app on one machine, watched and counted."""
