"""Which column of a draft's file becomes which field: guessed at first, then as somebody chooses."""
