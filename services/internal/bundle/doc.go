// Package bundle writes and verifies the answer to a request: one ZIP file that
// a person opens in a browser and that any tool can read.
//
// The ZIP holds a page that says where to begin, and one folder, which is a BagIt bag (RFC
// 8493) whose payload is a Data Package (version 2):
//
//	READ ME FIRST.html                  leads to index.html; its hash is in bag-info.txt
//	<company> <day>/                    habeas-<request id>/ where the company isn't known
//	  bagit.txt, bag-info.txt           what this is, when it was packed, how big
//	  manifest-sha256.txt               the hash of every file below data/
//	  tagmanifest-sha256.txt            the hash of the files beside data/
//	  data/
//	    index.html                      the answer, for a person, in their language
//	    answer.json                     what it states, for machines (services/internal/statement;
//	                                    certificate.json for an erasure)
//	    datapackage.json                every data file: columns, types, size, hash
//	    <system>/<dataset>.csv          the records as a table
//	    <system>/<dataset>.json         the same records, exactly as they were held
//	    <system>/<dataset>/<n>-<name>   the file that a record holds
//
// A dataset of which nothing is held has no files; index.html and answer.json
// say so. Every row names its system and dataset in the columns _system and
// _dataset.
//
// Guarantees, each with the test that holds it:
//   - Write MUST need no more memory for a large bundle than for a small one
//     (TestMemoryIsFlat).
//   - The payload MUST be the same, byte for byte, for the same facts: the time
//     of the run stands in bag-info.txt only (TestSameFactsSamePayload).
//   - A record that goes in MUST come out of the JSON file exactly, and of the
//     CSV file by the rules of docs/adr/0010 (TestRecordsSurvive).
//   - What a column is never to be shown MUST be in no file of the bundle where
//     the policy says so (TestCaliforniaBundle).
//   - Verify MUST name any change of any covered byte (TestTampering).
package bundle
