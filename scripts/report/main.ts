/** `npm run report`: writes docs/report.html from the raw rows in docs/measurements. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectRoot, readRows } from '../measurements.js'
import { reportPage } from './page.js'

const { values } = parseArgs({
  options: {
    /** Another folder of rows, and another file: to look at figures that are not published. */
    rows: { type: 'string', default: join(projectRoot, 'docs', 'measurements') },
    out: { type: 'string', default: join(projectRoot, 'docs', 'report.html') },
  },
})
writeFileSync(values.out, reportPage(readRows(values.rows)))
console.log(`wrote ${values.out}`)
