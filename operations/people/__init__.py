"""Who works at the desk, what they may do where, how they sign in, and the record of what they did."""
