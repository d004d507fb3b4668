"""Lists people work in: saved views, chosen columns, counts at quick filters, bulk edit, hints at likely duplicates."""
