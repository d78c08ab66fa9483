"""Devices, threads, compiled kernels and network weights."""
