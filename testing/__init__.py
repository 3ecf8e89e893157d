"""What tests, demos and benchmarks stand on: a stand-in provider, real processes, a terminal in memory."""
