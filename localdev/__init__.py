"""What runs the connector on one machine. Never deployed."""
