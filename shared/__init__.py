"""The connector. All of it is deployed."""
