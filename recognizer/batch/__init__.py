"""Many videos: what there is to do, who does it, and what came of it. Without a command line and without pages."""
