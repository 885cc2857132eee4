"""How much there is of something, where counting all of it would take too long."""
