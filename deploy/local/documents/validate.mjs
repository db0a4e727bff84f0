// validate.mjs OPENAPI ASYNCAPI : the documents as strict tools read them; exit code 1 for an error or a warning.
import fs from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { createConfig, lintFromString } from '@redocly/openapi-core';

const [openapi, asyncapi] = process.argv.slice(2);
const WARNING = 1; // 0 is an error, 2 and 3 are hints
const faults = [];

const config = await createConfig({
  extends: ['recommended'],
  // The API's users have a contract, not a licence; a tag is the plural noun that its operations describe.
  rules: { 'info-license': 'off', 'tag-description': 'off' },
});
const problems = await lintFromString({ source: fs.readFileSync(openapi, 'utf8'), absoluteRef: openapi, config });
for (const { severity, ruleId, message, location } of problems) {
  faults.push(`${openapi}: ${severity} ${ruleId} at ${location?.[0]?.pointer}: ${message}`);
}

const { diagnostics } = await new Parser().parse(fs.readFileSync(asyncapi, 'utf8'));
for (const { severity, code, path, message } of diagnostics) {
  if (severity <= WARNING) faults.push(`${asyncapi}: ${code} at /${path.join('/')}: ${message}`);
}

console.log(faults.join('\n'));
process.exit(faults.length ? 1 : 0);
