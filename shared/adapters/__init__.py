"""The real parts behind the ports: Graph, Storage, credentials, targets."""
