"""What a viewer is told when it comes."""
