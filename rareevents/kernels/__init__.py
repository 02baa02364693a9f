"""Compiled code: streams, variates, sums, and the compiler that fuses plain Python functions into one cached kernel."""
