// What the courses do for one person, without HTTP. The contract itself is checked from
// outside: habeas conform http://127.0.0.1:8401 --manifest manifest.yaml …
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { actions, read, type Data, type Task } from "./service.js";

const courses = (): Data => JSON.parse(readFileSync("courses.json", "utf8"));
const anna: Task = { task: "1", identifiers: [{ type: "email", value: "Anna@Example.com" }] };
const all = (action: string, data: Data, keys: { dataset: string; key: string }[] = []) => [...actions[action]!(data, anna, keys)];

test("gathers her records only", () => {
  assert.deepEqual(all("gather", courses()).map((l) => (l.record as { id: string }).id), ["E-1", "E-2", "C-1"]);
});

test("erases by the plan, and what came since", () => {
  const data = courses();
  const keys = all("plan", data).slice(1) as { dataset: string; key: string }[];
  assert.deepEqual(all("erase", data, keys).map((l) => [l.key, l.did, l.late]), [["E-2", "erased", undefined], ["C-1", "erased", undefined], ["E-1", "erased", true]]);
  assert.deepEqual(all("prove", data, keys), []);
  assert.deepEqual(all("erase", data, keys).map((l) => l.did), ["gone", "gone"]);
  assert.equal(data.enrolments!.length, 1); // Bob's
});

test("takes no cut body", () => {
  assert.equal(read('{"task":"1"}\n'), undefined);
  assert.equal(read('{"task":"1"}\n{"end":{"lines":2}}\n'), undefined);
  assert.equal(read('{"task":"1"}\n{"end":{"lines":1}}\n')?.length, 1);
});
