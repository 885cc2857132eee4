"""What runs of item syncs keep besides their row in `runs`: the files that they have fetched."""
