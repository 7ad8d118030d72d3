import { join } from 'node:path'
import { ROOT, type Part } from './part.ts'

/** A heap that is large from the beginning: the compiler fills two gigabytes, and collecting them a tenth of its time. */
const HEAP = ['--initial-heap-size=3000', '--min-semi-space-size=64', '--max-semi-space-size=128']

export const TYPES_AND_LINT: Part = {
  name: 'types and lint',
  argv: [join(ROOT, 'node_modules/.bin/node'), ...HEAP, join(ROOT, 'test/types-and-lint.ts')]
}
/** What is left for `npm test` takes long and rarely finds anything. */
export const TYPES_AND_QUICK_LINT: Part = { ...TYPES_AND_LINT, argv: [...TYPES_AND_LINT.argv, '--quick'] }
export const FORMAT: Part = {
  name: 'format',
  argv: ['npm', 'run', '--silent', 'format:check', '--', '--log-level', 'warn']
}
