// Parses asyncapi.yaml with AsyncAPI's own parser, and holds it and the OpenAPI documents to
// the rules of spectral.yaml. Whatever either says, of any severity, is an error.
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import parser from '@asyncapi/parser'

const asyncapi = path.join(process.env.SCHEMAS, 'asyncapi.yaml')
const openapi = ['openapi.yaml', 'worker.openapi.yaml'].map(name => path.join(process.env.SCHEMAS, name))

// The rules are Spectral's to judge; here it is whether the document can be read.
const { document, diagnostics } = await new parser.Parser().parse(await readFile(asyncapi, 'utf8'), { source: asyncapi })
const errors = diagnostics.filter(d => d.severity === 0)
if (!document || errors.length > 0) {
  console.error(errors)
  throw new Error('the AsyncAPI parser refuses asyncapi.yaml')
}
const messages = document.allMessages().all().length
if (messages < 30) throw new Error(`the AsyncAPI parser reads ${messages} messages only`)

const spectral = spawnSync('node_modules/.bin/spectral', ['lint', '--ruleset', 'spectral.yaml', '--fail-severity', 'hint', asyncapi, ...openapi], { encoding: 'utf8' })
if (spectral.status !== 0) {
  console.error(spectral.stdout, spectral.stderr)
  throw new Error('Spectral has findings')
}
