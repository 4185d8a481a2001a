"""Delegated accounts: connect, come back, sign in again, consent, list, disconnect."""
