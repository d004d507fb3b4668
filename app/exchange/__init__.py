"""Files in and out: CSV and Excel workbooks of any entity, by the codes or labels of its columns.

``files`` reads and writes tables; ``headings`` matches their columns with an entity's fields; ``cells`` turns what
people type into values; ``importing`` and ``exporting`` do the whole.
"""
