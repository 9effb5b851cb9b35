"""Every kind of request in one small module: its checks, its part of the statement, what its yes begins."""
