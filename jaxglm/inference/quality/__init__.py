"""What a model is worth: criteria, predictions held against outcomes, families that suit."""
