"""Who is where: tracking, appearance, cuts between shots, joining the tracks of one person."""
