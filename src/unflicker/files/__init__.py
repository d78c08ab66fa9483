"""What a run may write, and how: nothing that it reads, and whole or not at all."""
