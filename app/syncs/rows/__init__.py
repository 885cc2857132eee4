"""Rows of the files of an item sync: columns are found, and cells become items, prices, classes, values and links."""
