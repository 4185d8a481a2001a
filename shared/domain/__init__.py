"""What the connector is about, pure: no I/O, no clock, no library of a vendor."""
