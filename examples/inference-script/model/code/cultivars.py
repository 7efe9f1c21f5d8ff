NAMES = ("Barolo", "Grignolino", "Barbera")
