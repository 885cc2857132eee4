"""What templates show: frozen values made from those of the engine. Nothing here reads or asks."""
