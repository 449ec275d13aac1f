"""A cell at work: its guest, its driver, its agent, and what tests call."""
