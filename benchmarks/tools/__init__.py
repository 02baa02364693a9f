"""One tool per file, with the same tables in each: PER_DRAW (estimate, draws) and DESIGNED (asked, seed) -> Answer."""
