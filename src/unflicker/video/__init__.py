"""Films in and out; the only package that knows PyAV."""
