"""The proving ground: data sets, scores, methods side by side."""
