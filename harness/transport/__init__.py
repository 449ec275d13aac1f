"""Byte streams to guests, and what is spoken over them."""
