"""What people type when they ask and decide."""
