"""The controller: provisions guests, builds and loads the driver, runs the ioctl suite in real kernels."""

__version__ = "0.1.0"
