"""A worker of Habeas over HTTP, in Python's standard library: a help desk in SQLite.

    HABEAS_SECRET=whsec_… python3 service.py desk.db
"""
import base64, hashlib, hmac, itertools, json, os, sqlite3, sys, tempfile, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COLUMNS = {"tickets": "number, email, subject, asked_on", "refunds": "number, email, amount, paid_on"}
KEEP_YEARS = {"refunds": 10}  # tax law wants accounting records kept


def gather(db, task, keys):
    for dataset, record in records(db, task):
        yield {"dataset": dataset, "record": record}


def plan(db, task, keys):
    for dataset, record in records(db, task):
        yield planned(dataset, record)


def erase(db, task, keys):
    """Answers each planned key, in its order, and then what came since."""
    for dataset, key in keys:
        yield erase_one(db, task, dataset, key)
    for dataset, record in records(db, task):
        if (dataset, record["number"]) not in keys:
            yield erase_one(db, task, dataset, record["number"]) | {"late": True}
    db.commit()


def prove(db, task, keys):
    """Says what is still there, by the planned keys and by asking anew."""
    for dataset, key in keys:
        yield from (planned(dataset, r) for r in select(db, dataset, "number = ?", [key]) if not anothers(task, r))
    yield from (planned(d, r) for d, r in records(db, task) if (d, r["number"]) not in keys)


ACTIONS = {"gather": gather, "plan": plan, "erase": erase, "prove": prove}


def select(db, dataset, where, values):
    cursor = db.execute(f"SELECT {COLUMNS[dataset]} FROM {dataset} WHERE {where} ORDER BY number", values)
    names = [c[0] for c in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


def records(db, task):
    """The records of whoever has one of the task's identifiers."""
    emails = [i["value"].strip().lower() for i in task.get("identifiers", []) if i["type"] == "email"]
    where = f"lower(email) IN ({','.join('?' * len(emails))})"
    return [(dataset, record) for dataset in COLUMNS for record in select(db, dataset, where, emails)]


def anothers(task, record):
    """Whether a planned record is somebody else's by now; one without an address is still theirs."""
    known = [i["value"].strip().lower() for i in task.get("identifiers", []) + task.get("owner", [])]
    return bool(record["email"]) and record["email"].lower() not in known


def planned(dataset, record):
    """A record's line, and why it must stay where it must."""
    line = {"dataset": dataset, "key": record["number"]}
    if dataset in KEEP_YEARS:
        until = f'{int(record["paid_on"][:4]) + KEEP_YEARS[dataset]}{record["paid_on"][4:]}T00:00:00Z'
        if until > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()):
            line["keep"] = {"ground": "tax-records", "until": until}
    return line


def erase_one(db, task, dataset, key):
    for record in select(db, dataset, "number = ?", [key]):
        if anothers(task, record):
            return {"dataset": dataset, "key": key, "did": "reassigned"}
        if "keep" in (line := planned(dataset, record)):
            return line | {"did": "retained"}
        db.execute(f"DELETE FROM {dataset} WHERE number = ?", [key])
        return line | {"did": "erased"}
    return {"dataset": dataset, "key": key, "did": "gone"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.signed() and self.path == "/v1":
            self.begin(200, "application/json")
            self.line({"contract": 1, "system": "desk", "actions": list(ACTIONS)})

    def do_POST(self):
        action = ACTIONS.get(self.path.removeprefix("/v1/"))
        if not (body := self.signed()) or action is None:
            return body and self.begin(404)  # what isn't signed is answered
        try:
            tasks = self.read(body)
            if action is erase and any("plan" not in task for task, _ in tasks.values()):
                raise ValueError("nothing says what may be erased")
        except (ValueError, KeyError, TypeError):
            return self.begin(400)  # cut, without a plan, or no lines of this contract; nothing of it is quoted
        self.begin(200, "application/x-ndjson")
        db, lines = sqlite3.connect(self.server.db), 0
        for task, keys in tasks.values():
            for line in itertools.chain(action(db, task, keys), [{"done": True}]):
                self.line({"task": task["task"]} | line)
                lines += 1
        self.line({"end": {"lines": lines}})
        db.close()

    def signed(self):
        """The body, in a file where it is long, if it is signed as Standard Webhooks have it."""
        at, left = self.headers.get("Webhook-Timestamp", ""), int(self.headers.get("Content-Length") or 0)
        mac = hmac.new(base64.b64decode(self.server.secret.removeprefix("whsec_")), digestmod=hashlib.sha256)
        mac.update(f'{self.headers.get("Webhook-Id", "")}.{at}.'.encode())
        body = tempfile.SpooledTemporaryFile(max_size=1 << 20)
        while left > 0 and (piece := self.rfile.read(min(left, 1 << 16))):
            left -= len(piece)
            mac.update(piece)
            body.write(piece)
        mine = "v1," + base64.b64encode(mac.digest()).decode()
        ours = any([hmac.compare_digest(mine, s) for s in self.headers.get("Webhook-Signature", "").split()])
        if not ours or not at.isdecimal() or abs(time.time() - int(at)) > 300:
            return self.begin(401)
        body.seek(0)
        return body

    def read(self, body):
        """The tasks, each with its planned keys (in their order, and quick to look up)."""
        tasks, (*lines, last) = {}, map(json.loads, body)
        for line in lines:
            if "key" in line:
                tasks[line["task"]][1][line["dataset"], line["key"]] = True
            else:
                tasks[line["task"]] = (line, {})
        if last["end"]["lines"] != len(lines):
            raise ValueError("cut")
        return tasks

    def begin(self, status, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def line(self, value):
        self.wfile.write(json.dumps(value).encode() + b"\n")

    log_message = lambda *_: None  # nobody's identifiers end in a log


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8400"))), Handler)
    server.db, server.secret = sys.argv[1], os.environ["HABEAS_SECRET"]
    server.serve_forever()
