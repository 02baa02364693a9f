"""Ways of spending draws."""
