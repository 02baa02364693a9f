"""Choosing the law to draw from. Each function returns a `Proposal`: a law and what is known about it."""
