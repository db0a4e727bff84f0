"""SQL, encryption and rendering."""
