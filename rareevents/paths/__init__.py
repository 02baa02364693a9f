"""Events of paths, the finite graphs that some of them make, and chunks of weighted paths."""
