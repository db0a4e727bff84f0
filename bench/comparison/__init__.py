"""What `bench/compare.py` does with figures: which rows there are, how they are judged, shown and recorded."""
