"""The first step of an item sync: it looks at the folders until nothing changes any more, then fetches each file."""
