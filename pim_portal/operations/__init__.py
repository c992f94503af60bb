"""Running the portal: the recurring jobs, the supervisor of web and worker, and what a monitor asks."""
