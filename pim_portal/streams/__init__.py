"""The history goes on: to web hooks, and as lines to standard output. Both read by leaf number, with a cursor row."""
