"""What tests of notification share."""
