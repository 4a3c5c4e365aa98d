"""What keeps a target from harm: who may be tested, with how much load, and what stays secret."""
