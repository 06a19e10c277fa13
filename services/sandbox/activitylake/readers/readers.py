"""Reads the lake of activity before and after an erasure, by PyIceberg (the tables) and by
DuckDB (every Parquet file that lies there, whatever the tables say of it)."""

import glob
import os

import duckdb
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import In, Or

ERASED, KEPT = (os.environ[name].split(",") for name in ("ERASED", "KEPT"))
TABLES = ["clicks", "api_calls", "sessions", "downloads", "searches", "devices"]


def columns(table):
    return [c for c in ("account_id", "cookie_id") if c in [f.name for f in table.schema().fields]]


def in_tables(folder, ids):
    """Returns how many rows of ids PyIceberg finds, in every snapshot that there is."""
    catalog = SqlCatalog("lake", uri="sqlite:///" + os.path.join(folder, "activity.db"))
    now = earlier = 0
    for name in TABLES:
        table = catalog.load_table(("activity", name))
        having = [In(c, ids) for c in columns(table)]
        having = having[0] if len(having) == 1 else Or(*having)
        for snapshot in table.snapshots():
            rows = table.scan(row_filter=having, snapshot_id=snapshot.snapshot_id).to_arrow().num_rows
            if snapshot.snapshot_id == table.current_snapshot().snapshot_id:
                now += rows
            else:
                earlier += rows
    return now, earlier


def in_files(folder, ids):
    """Returns how many rows of ids DuckDB finds in the files."""
    found = 0
    for path in glob.glob(os.path.join(folder, "activity", "**", "*.parquet"), recursive=True):
        of = duckdb.read_parquet(path)
        where = " OR ".join(f"{c} IN (SELECT unnest($ids))" for c in ("account_id", "cookie_id") if c in of.columns)
        found += duckdb.execute(f"SELECT count(*) FROM of WHERE {where}", {"ids": ids}).fetchone()[0]
    return found


before, after = os.environ["BEFORE"], os.environ["AFTER"]
assert in_tables(before, ERASED)[0] == in_files(before, ERASED) > 0, "the readers don't find who is there"
assert in_tables(after, ERASED) == (0, 0), f"in the tables: {in_tables(after, ERASED)}"
assert in_files(after, ERASED) == 0, f"in the files: {in_files(after, ERASED)}"
assert in_tables(after, KEPT)[0] == in_tables(before, KEPT)[0] > 0, "others' rows aren't as they were in the tables"
assert in_files(after, KEPT) == in_files(before, KEPT), "others' rows aren't as they were in the files"
