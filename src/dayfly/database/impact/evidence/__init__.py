"""What was seen on the copy beside the replay, and all that a judgement needs."""
