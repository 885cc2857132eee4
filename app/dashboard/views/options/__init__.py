"""The options of imports as fields of forms: in the wizard, of mapping templates, and of an account."""
