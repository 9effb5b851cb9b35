"""One function a page: read by selectors, make at most one service call, draw."""
