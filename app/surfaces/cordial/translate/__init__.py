"""Cordial's requests into the engine's terms, and runs, records and failures into Cordial's."""
