"""Plain HTTP on the port, within bounds."""
