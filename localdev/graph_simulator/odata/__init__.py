"""The part of OData's query language that Graph takes for mail, with Graph's limits."""
