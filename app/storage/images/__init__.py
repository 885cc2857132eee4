"""The images of items: the records that say what there is, and the pictures that they show."""
