"""The stages that a batch of rows passes; app.imports.slice knows their order."""
