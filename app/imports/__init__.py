"""The import engine: a checked submission becomes a run, and a run is worked off in short slices."""
