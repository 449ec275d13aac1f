"""Guest images, built on this machine without root from what the distribution publishes.

`store` keeps finished images, `linux` is the recipe of the Linux guests, `keys` makes what is put into a
guest for one run. Start with `ImageStore().ensure(linux.AMD64)`.
"""
