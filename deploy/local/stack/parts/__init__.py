"""The parts, one file each: what is rendered, prepared and asked before the next part may start."""
