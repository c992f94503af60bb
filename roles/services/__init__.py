"""The state changes of roles; one function each, in the rooms of the house."""
