"""What travels to and from viewers: messages, frames, bytes."""
