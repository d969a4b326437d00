"""Sheets as a village office keeps them (导入): read, checked row by row, stored in batches; bad rows go back.

sheet (bytes to lines) > columns (headers to fields) > households, staff, units (lines to bodies) > loading (to the
register, by the services that the API uses) > rejects (the bad rows, as a file).
"""
