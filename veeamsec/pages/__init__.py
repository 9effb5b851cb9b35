"""What shows several apps at once: every page for people. Views read selectors and call one service."""
