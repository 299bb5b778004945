"""Which person is where: tracking, appearance, shot boundaries, joining the tracks of one person."""
