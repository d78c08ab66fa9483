"""What there is to compute on: devices, threads, compiled kernels, weights."""
