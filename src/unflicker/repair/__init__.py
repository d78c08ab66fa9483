"""Repair of damage: dirt and scratches are found in graded frames, and filled along the motion."""
