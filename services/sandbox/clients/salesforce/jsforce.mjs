// jsforce against the stand-in: what its users do all day. BASE_URL, CLIENT_ID
// and CLIENT_SECRET say where it is.
import assert from 'node:assert/strict';
import jsforce from 'jsforce';

const { BASE_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const conn = new jsforce.Connection({
  instanceUrl: BASE_URL, version: '60.0',
  oauth2: { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, loginUrl: BASE_URL },
});
await conn.authorize({ grant_type: 'client_credentials' });
assert.ok(conn.accessToken);

// Queries: paged, over relationships, counted, sorted, by its own query builder.
const all = await conn.query('SELECT Id, Email FROM Contact', { autoFetch: true, maxFetch: 100000 });
assert.equal(all.records.length, all.totalSize);
assert.equal(new Set(all.records.map((r) => r.Id)).size, all.totalSize);
const pages = await conn.query('SELECT Id FROM Contact');
assert.ok(!pages.done && pages.nextRecordsUrl, 'the stand-in has small pages');
const second = await conn.queryMore(pages.nextRecordsUrl);
assert.ok(second.records.length > 0);
const cases = await conn.query("SELECT Id, CaseNumber, Contact.LastName, Contact.Email FROM Case WHERE Contact.Email = 'camille.o\\'brien@example.com' ORDER BY CaseNumber DESC");
assert.equal(cases.totalSize, 3);
assert.equal(cases.records[0].Contact.LastName, "O'Brien");
assert.ok(cases.records[0].CaseNumber > cases.records[2].CaseNumber);
const count = await conn.query('SELECT COUNT() FROM Contact');
assert.equal(count.totalSize, all.totalSize);
const byBuilder = await conn.sobject('Contact').find({ Email: "camille.o'brien@example.com" }, ['Id', 'LastName']).sort({ CreatedDate: -1 }).limit(1);
assert.equal(byBuilder.length, 1);
const grouped = await conn.query('SELECT Status, COUNT(Id) n FROM Case GROUP BY Status ORDER BY Status');
assert.equal(grouped.records.reduce((sum, r) => sum + r.n, 0), (await conn.query('SELECT COUNT() FROM Case')).totalSize);
const nested = await conn.sobject('Contact').select('Id, LastName').include('Cases').select('CaseNumber').end().where({ Email: "camille.o'brien@example.com" });
assert.equal(nested.reduce((sum, r) => sum + (r.Cases ? r.Cases.records.length : 0), 0), 3);

// One record's life.
const made = await conn.sobject('Contact').create({ LastName: 'Nobody', Email: 'made@example.com' });
assert.ok(made.success && made.id);
assert.equal((await conn.sobject('Contact').retrieve(made.id)).LastName, 'Nobody');
await conn.sobject('Contact').update({ Id: made.id, LastName: 'Somebody' });
assert.equal((await conn.query(`SELECT LastName FROM Contact WHERE Id = '${made.id}'`)).records[0].LastName, 'Somebody');
await conn.sobject('Contact').destroy(made.id);
assert.equal((await conn.query(`SELECT Id FROM Contact WHERE Id = '${made.id}'`)).totalSize, 0);
const bin = await conn.query(`SELECT Id, IsDeleted FROM Contact WHERE Id = '${made.id}'`, { scanAll: true });
assert.equal(bin.records[0].IsDeleted, true);

// Collections, with a result for each.
const many = await conn.sobject('Lead').create([{ LastName: 'A', Company: 'X' }, { LastName: 'B' }]);
assert.deepEqual(many.map((r) => r.success), [true, false]);
assert.equal(many[1].errors[0].statusCode, 'REQUIRED_FIELD_MISSING');
const gone = await conn.sobject('Lead').destroy([many[0].id, many[0].id]);
assert.deepEqual(gone.map((r) => r.success), [true, false]);
assert.equal(gone[1].errors[0].statusCode, 'ENTITY_IS_DELETED');

// Bulk API 2.0.
conn.bulk2.pollInterval = 50;
const loaded = await conn.bulk2.loadAndWaitForResults({ object: 'Contact', operation: 'insert', input: [{ LastName: 'Bulk 1', Email: 'bulk1@example.com' }, { LastName: 'Bulk, "2"' }] });
assert.equal(loaded.successfulResults.length, 2);
const stream = await conn.bulk2.query("SELECT Id, LastName FROM Contact WHERE LastName LIKE 'Bulk%'");
const rows = await stream.toArray();
assert.deepEqual(rows.map((r) => r.LastName).sort(), ['Bulk 1', 'Bulk, "2"']);
const hard = await conn.bulk2.loadAndWaitForResults({ object: 'Contact', operation: 'hardDelete', input: [...rows.map((r) => ({ Id: r.Id })), { Id: '0035g0000zzzzzz' }] });
assert.equal(hard.successfulResults.length, 2);
assert.match(hard.failedResults[0].sf__Error, /^INVALID_CROSS_REFERENCE_KEY/);
assert.equal((await conn.query("SELECT Id FROM Contact WHERE LastName LIKE 'Bulk%'", { scanAll: true })).totalSize, 0);

// The schema, limits and errors.
const described = await conn.sobject('Contact').describe();
assert.equal(described.fields.find((f) => f.name === 'IndividualId').type, 'reference');
assert.ok((await conn.describeGlobal()).sobjects.some((o) => o.name === 'EmailMessage'));
assert.ok(conn.limitInfo.apiUsage.used > 0 && (await conn.limits()).DailyApiRequests.Remaining > 0);
await assert.rejects(conn.query('SELECT Id FORM Contact'), (e) => e.errorCode === 'MALFORMED_QUERY');
await assert.rejects(conn.query('SELECT Nothing FROM Contact'), (e) => e.errorCode === 'INVALID_FIELD');
await assert.rejects(conn.query('SELECT Id FROM Nothing'), (e) => e.errorCode === 'INVALID_TYPE');
const revoked = new jsforce.Connection({ instanceUrl: BASE_URL, version: '60.0', accessToken: 'revoked' });
await assert.rejects(revoked.query('SELECT Id FROM Contact'), (e) => e.errorCode === 'INVALID_SESSION_ID');
console.log('jsforce: ok');
