"""Types that stages pass on: pictures, clips, flow, and the one convention for each."""
