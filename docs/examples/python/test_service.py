"""What the desk does for one person, without HTTP. The contract itself is checked from
outside: habeas conform http://127.0.0.1:8400 --manifest manifest.yaml …"""
import pathlib, sqlite3, unittest
import service

ANNA = {"identifiers": [{"type": "email", "value": "Anna@Example.com"}]}


def desk():
    db = sqlite3.connect(":memory:")
    db.executescript(pathlib.Path(__file__).with_name("schema.sql").read_text())
    return db


class Desk(unittest.TestCase):
    def test_gathers_her_records_only(self):
        got = [line["record"]["number"] for line in service.gather(desk(), ANNA, {})]
        self.assertEqual(got, ["T-1", "T-2", "R-1", "R-2"])

    def test_erases_what_may_go(self):
        db = desk()
        keys = {(line["dataset"], line["key"]): True for line in service.plan(db, ANNA, {})}
        did = {line["key"]: line["did"] for line in service.erase(db, ANNA, keys)}
        self.assertEqual(did, {"T-1": "erased", "T-2": "erased", "R-1": "erased", "R-2": "retained"})
        self.assertEqual([line["key"] for line in service.prove(db, ANNA, keys)], ["R-2"])
        self.assertEqual([line["did"] for line in service.erase(db, ANNA, keys)], ["gone", "gone", "gone", "retained"])

    def test_erases_what_came_since(self):
        db = desk()
        db.execute("INSERT INTO tickets VALUES ('T-9', 'anna@example.com', 'one more', '2026-06-01')")
        late = [line["key"] for line in service.erase(db, ANNA, {("tickets", "T-1"): True}) if line.get("late")]
        self.assertEqual(late, ["T-2", "T-9", "R-1", "R-2"])


if __name__ == "__main__":
    unittest.main()
