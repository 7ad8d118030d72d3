import { join } from 'node:path'
import { ROOT, type Part } from './part.ts'

/** A heap that is large from the beginning: the compiler fills two gigabytes, and collecting them a tenth of its time. */
const HEAP = ['--initial-heap-size=3000', '--min-semi-space-size=64', '--max-semi-space-size=128']
const node = (program: string, ...args: readonly string[]): readonly string[] => [
  join(ROOT, 'node_modules/.bin/node'),
  ...HEAP,
  join(ROOT, 'node_modules', program),
  ...args
]

export const TYPES: Part = { name: 'types', argv: node('typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json') }
export const LINT: Part = { name: 'lint', argv: node('eslint/bin/eslint.js', '.') }
export const FORMAT: Part = {
  name: 'format',
  argv: ['npm', 'run', '--silent', 'format:check', '--', '--log-level', 'warn']
}
