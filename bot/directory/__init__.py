"""Who works here: directories, and what an administrator's feed says of people."""
