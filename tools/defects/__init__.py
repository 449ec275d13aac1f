"""Mistakes that were put into the driver by hand, and which test notices each."""
