"""The stages that a batch of rows passes; only app.imports.run knows their order."""
