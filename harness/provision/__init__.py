"""Guests as libvirt domains: connection, domain XML, run directories, clean-up."""
