"""Infrastructure as Bicep, and the tools that read it without Azure."""
