"""The forms of the pages: they ask and tidy; what may be is for the services to say."""
