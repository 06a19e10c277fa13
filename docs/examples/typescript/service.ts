// A worker of Habeas over HTTP, in TypeScript and Node's own library: courses in a JSON file.
//
//   HABEAS_SECRET=whsec_… node service.js courses.json
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";

export type Row = { id: string; email: string; [column: string]: string | number };
export type Data = Record<string, Row[]>; // by dataset
type Identifier = { type: string; value: string };
export type Task = { task: string; plan?: string; identifiers?: Identifier[]; owner?: Identifier[] };
type Key = { dataset: string; key: string };
type Line = Record<string, unknown>;
type Action = (data: Data, task: Task, keys: Key[]) => Iterable<Line>;

const addresses = (of: Identifier[] = []) => of.filter((i) => i.type === "email").map((i) => i.value.trim().toLowerCase());

/** The records of whoever has one of the task's identifiers. */
function* records(data: Data, task: Task): Iterable<[string, Row]> {
  const emails = addresses(task.identifiers);
  for (const [dataset, rows] of Object.entries(data)) {
    for (const row of rows) if (emails.includes(row.email.toLowerCase())) yield [dataset, row];
  }
}

const name = (dataset: string, key: string) => dataset + "\n" + key;

/** A planned record, and whether it is somebody else's by now; one without an address is still theirs. */
function find(data: Data, task: Task, dataset: string, key: string) {
  const row = data[dataset]?.find((r) => r.id === key);
  const known = [...addresses(task.identifiers), ...addresses(task.owner)];
  return { row, anothers: !!row?.email && !known.includes(row.email.toLowerCase()) };
}

/** Takes a record out, and says what became of it. */
function take(data: Data, task: Task, dataset: string, key: string): string {
  const { row, anothers } = find(data, task, dataset, key);
  if (!row || anothers) return row ? "reassigned" : "gone";
  data[dataset] = data[dataset]!.filter((r) => r !== row);
  return "erased";
}

export const actions: Record<string, Action> = {
  *gather(data, task) {
    for (const [dataset, record] of records(data, task)) yield { dataset, record };
  },
  *plan(data, task) {
    for (const [dataset, row] of records(data, task)) yield { dataset, key: row.id };
  },
  /** Answers each planned key, in its order, and then what came since. */
  *erase(data, task, keys) {
    for (const { dataset, key } of keys) yield { dataset, key, did: take(data, task, dataset, key) };
    for (const [dataset, row] of [...records(data, task)]) yield { dataset, key: row.id, did: take(data, task, dataset, row.id), late: true };
  },
  /** Says what is still there, by the planned keys and by asking anew. */
  *prove(data, task, keys) {
    const planned = new Set(keys.map((k) => name(k.dataset, k.key)));
    for (const { dataset, key } of keys) {
      const { row, anothers } = find(data, task, dataset, key);
      if (row && !anothers) yield { dataset, key };
    }
    for (const [dataset, row] of records(data, task)) if (!planned.has(name(dataset, row.id))) yield { dataset, key: row.id };
  },
};

/** The body, if it is signed as Standard Webhooks have it, and not long ago. */
async function signed(request: IncomingMessage, secret: string): Promise<Buffer | undefined> {
  const at = String(request.headers["webhook-timestamp"] ?? "");
  const mac = createHmac("sha256", Buffer.from(secret.replace(/^whsec_/, ""), "base64"));
  mac.update(`${request.headers["webhook-id"]}.${at}.`);
  const pieces: Buffer[] = [];
  for await (const piece of request) {
    mac.update(piece);
    pieces.push(piece);
  }
  const mine = Buffer.from("v1," + mac.digest("base64"));
  const given = String(request.headers["webhook-signature"] ?? "").split(" ").map((s) => Buffer.from(s));
  const ours = given.filter((g) => g.length === mine.length && timingSafeEqual(g, mine)).length > 0;
  return ours && Math.abs(Date.now() / 1000 - Number(at)) <= 300 ? Buffer.concat(pieces) : undefined;
}

/** The tasks, each with its planned keys; undefined where the lines were cut or are others. */
export function read(body: string): [Task, Key[]][] | undefined {
  const tasks = new Map<string, [Task, Key[]]>();
  try {
    const lines = body.split("\n").filter((l) => l !== "").map((l) => JSON.parse(l));
    const end = lines.pop()?.end?.lines;
    for (const line of lines) {
      if (line.key === undefined) tasks.set(line.task, [line, []]);
      else tasks.get(line.task)![1].push(line);
    }
    return end === lines.length ? [...tasks.values()] : undefined;
  } catch {
    return undefined;
  }
}

/** What an action says of all tasks. It is done, and kept, before the first line goes out, and in one go. */
function perform(file: string, name: string, tasks: [Task, Key[]][]): Line[] {
  const data: Data = JSON.parse(readFileSync(file, "utf8"));
  const lines = tasks.flatMap(([task, keys]): Line[] => {
    const said = [...actions[name]!(data, task, keys), { done: true }];
    return said.map((line) => ({ task: task.task, ...line }));
  });
  if (name === "erase") writeFileSync(file, JSON.stringify(data, null, 1));
  return [...lines, { end: { lines: lines.length } }];
}

export function service(file: string, secret: string) {
  return createServer(async (request, response) => {
    const body = await signed(request, secret);
    const action = request.url?.replace("/v1/", "") ?? "";
    const refuse = (status: number) => response.writeHead(status).end(); // quotes nothing that came
    if (body === undefined) return refuse(401);
    if (request.method === "GET" && request.url === "/v1") {
      response.writeHead(200, { "Content-Type": "application/json" });
      return response.end(JSON.stringify({ contract: 1, system: "courses", actions: Object.keys(actions) }));
    }
    if (!Object.hasOwn(actions, action) || request.method !== "POST") return refuse(404);
    const tasks = read(body.toString("utf8"));
    if (tasks === undefined) return refuse(400);
    if (action === "erase" && tasks.some(([task]) => !task.plan)) return refuse(400); // nothing says what may go
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    for (const line of perform(file, action, tasks)) {
      if (!response.write(JSON.stringify(line) + "\n")) await once(response, "drain"); // no faster than it is read
    }
    response.end();
  });
}

if (process.argv[2]) {
  service(process.argv[2], process.env.HABEAS_SECRET ?? "").listen(Number(process.env.PORT ?? 8401), "127.0.0.1");
}
