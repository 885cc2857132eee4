"""Commands about who may use a service, and who has."""
