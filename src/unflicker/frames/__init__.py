"""What every stage passes to the next: pictures, clips, flow, and the one convention for each."""
