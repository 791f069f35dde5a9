"""Pictures that are in two sets, or twice in one."""
