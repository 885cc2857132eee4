"""Finds the cells of a sheet of which the library that reads workbooks tells too little: errors of formulas, which it
shows as blank, and leading zeros that only the format of a number has."""
