"""Changes the driver in one place at a time and sees whether the suite in the guest notices."""
