"""Delegated accounts: their table, their encrypted tokens, Entra ID, and the credential."""
