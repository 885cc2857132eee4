"""What an item sync asks of an overlay beside merging: links of items to filter values, and what a full sync spares."""
