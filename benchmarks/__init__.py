"""What the connector costs, beside its budgets and beside others: `python3 dev.py bench`."""
