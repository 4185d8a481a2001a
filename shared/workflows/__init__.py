"""What the connector does, told through the ports."""
