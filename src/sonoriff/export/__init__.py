"""A model for other programs: ONNX graphs with weights, and a static site that plays in a tab."""
