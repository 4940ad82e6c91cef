"""Electronic music, synthesised: drum machines, synthesisers, and twenty genres made of them."""
