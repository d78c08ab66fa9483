"""Training of the networks: data with ground truth, and the training loop."""
