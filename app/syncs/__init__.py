"""Item syncs: a catalogue of items, prices, filters and pictures is read from the files of a folder."""
