"""Turns Cordial's requests into submissions, and runs, records and failures into Cordial's shapes."""
