"""Who is where: tracking, appearance, shot boundaries, and joining the tracks of one person."""
