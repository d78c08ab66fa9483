"""Local refinement: flickering texture, averaged with neighbouring frames."""
